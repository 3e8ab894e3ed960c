# Kafka's jars, from where Maven has all others: for the lab.

# kafka_jars FOLDER: the broker and what it needs, into FOLDER.
kafka_jars() {
  local folder=$1 pom=$HERE/build/kafka-pom
  find_jdk
  need mvn maven
  mkdir -p "$pom" "$folder"
  cat >"$pom/pom.xml" <<'XML'
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <parent><groupId>dev.skep</groupId><artifactId>skep</artifactId><version>0.1.0-SNAPSHOT</version><relativePath>../../pom.xml</relativePath></parent>
  <artifactId>skep-lab-kafka</artifactId>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId></dependency>
    <dependency><groupId>ch.qos.logback</groupId><artifactId>logback-classic</artifactId></dependency>
  </dependencies>
</project>
XML
  step "collecting Kafka's jars"
  (cd "$pom" && mvn -B -ntp -q dependency:copy-dependencies -DincludeScope=runtime "-DoutputDirectory=$folder") || die "Kafka's jars cannot be had"
}

# It prints what is wrong and no more.
kafka_logging() {
  cat <<'XML'
<configuration>
  <appender name="OUT" class="ch.qos.logback.core.ConsoleAppender"><encoder><pattern>%d %-5level %logger{0} %msg%n</pattern></encoder></appender>
  <root level="WARN"><appender-ref ref="OUT"/></root>
</configuration>
XML
}
