package dev.skep.runtime.identity;

import dev.skep.api.v1.TLSInfo;
import com.google.protobuf.ByteString;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.ReentrantLock;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;
import javax.net.ssl.X509ExtendedKeyManager;
import javax.net.ssl.X509ExtendedTrustManager;

/**
 * What this host proves itself with and whom it believes: its key and certificate in {@code <identity>/node.pem} (mode
 * 0600) and the cluster's roots in {@code <identity>/roots.pem}. Both may change at any time: connections that begin
 * afterwards use the newest, open ones go on. Read from disk when first asked for.
 */
public final class Trust {
  private static final String NODE = "node.pem";
  private static final String ROOTS = "roots.pem";

  /** One state of it; {@code before} still serves handshakes that have begun with it. */
  record Held(Optional<NodeCertificate> certificate, Optional<NodeCertificate> before, List<X509Certificate> roots) {}

  private final Path folder;
  private final Clock clock;
  private final ReentrantLock changing = new ReentrantLock();
  private final List<Runnable> listeners = new CopyOnWriteArrayList<>();
  private volatile Held held;

  public Trust(Path identityFolder, Clock clock) {
    this.folder = identityFolder;
    this.clock = clock;
  }

  Held held() {
    Held known = held;
    if (known == null) {
      changing.lock();
      try {
        if (held == null) {
          held = read();
        }
        known = held;
      } finally {
        changing.unlock();
      }
    }
    return known;
  }

  private Held read() {
    try {
      Optional<NodeCertificate> certificate = Optional.empty();
      if (Files.exists(folder.resolve(NODE))) {
        String text = new String(PrivateFile.read(folder.resolve(NODE)), StandardCharsets.US_ASCII);
        certificate = Optional.of(NodeCertificate.of(Pem.key(text), text.substring(text.indexOf("-----BEGIN CERTIFICATE"))));
      }
      List<X509Certificate> roots = Files.exists(folder.resolve(ROOTS)) ? Pem.certificates(Files.readString(folder.resolve(ROOTS))) : List.of();
      return new Held(certificate, Optional.empty(), roots);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read this node's identity", e);
    } catch (IllegalArgumentException | StringIndexOutOfBoundsException e) {
      throw new IllegalStateException(folder + " does not hold a node's identity: the files are damaged", e);
    }
  }

  /** This node's certificate; empty before it has one. */
  public Optional<NodeCertificate> certificate() {
    return held().certificate();
  }

  /** The cluster's roots. */
  public List<X509Certificate> roots() {
    return held().roots();
  }

  /** Takes a new certificate and these roots into use, durably. */
  public void install(NodeCertificate certificate, List<String> rootsPem) {
    List<X509Certificate> roots = Pem.certificates(String.join("", rootsPem));
    change(() -> {
      // The roots first: a certificate of a root that is not known yet could not be shown to anybody.
      PrivateFile.replace(folder.resolve(ROOTS), Pem.certificates(roots).getBytes(StandardCharsets.US_ASCII));
      String text = Pem.key(certificate.key()) + Pem.certificates(certificate.chain());
      PrivateFile.replace(folder.resolve(NODE), text.getBytes(StandardCharsets.US_ASCII));
      return new Held(Optional.of(certificate), held().certificate(), roots);
    });
  }

  /** Takes these roots in place of those known: while the root is being rotated there are two. Nothing happens when they are the same. */
  public void trust(List<String> rootsPem) {
    List<X509Certificate> roots = Pem.certificates(String.join("", rootsPem));
    if (roots.isEmpty() || roots.equals(roots())) {
      return;
    }
    change(() -> {
      PrivateFile.replace(folder.resolve(ROOTS), Pem.certificates(roots).getBytes(StandardCharsets.US_ASCII));
      return new Held(held().certificate(), held().before(), roots);
    });
  }

  /** Forgets key, certificate and roots. */
  public void erase() {
    change(() -> {
      Files.deleteIfExists(folder.resolve(NODE));
      Files.deleteIfExists(folder.resolve(ROOTS));
      return new Held(Optional.empty(), Optional.empty(), List.of());
    });
  }

  /** Reads the files again, which another process may have replaced. Nothing happens before they were read once. */
  public void refresh() {
    changing.lock();
    try {
      Held known = held;
      if (known == null) {
        return;
      }
      Held now = read();
      boolean same = now.roots().equals(known.roots())
          && now.certificate().map(NodeCertificate::own).equals(known.certificate().map(NodeCertificate::own));
      if (same) {
        return;
      }
      held = new Held(now.certificate(), known.certificate(), now.roots());
    } finally {
      changing.unlock();
    }
    listeners.forEach(Runnable::run);
  }

  private interface Change {
    Held made() throws IOException;
  }

  private void change(Change change) {
    changing.lock();
    try {
      held = change.made();
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write this node's identity", e);
    } finally {
      changing.unlock();
    }
    listeners.forEach(Runnable::run);
  }

  /** Calls after every change. */
  public AutoCloseable listen(Runnable listener) {
    listeners.add(listener);
    return () -> listeners.remove(listener);
  }

  /** For TLS: the newest certificate. */
  public X509ExtendedKeyManager keys() {
    return new NodeKeys(this);
  }

  /** For TLS: the newest roots; other nodes of the same cluster, and of servers only managers. */
  public X509ExtendedTrustManager peers() {
    return new NodePeers(() -> held().roots(), clock, this::ofThisCluster);
  }

  /** For TLS with a cluster of which nothing is known but its root: its managers. */
  public static X509ExtendedTrustManager managersUnder(String rootPem, Clock clock) {
    List<X509Certificate> roots = Pem.certificates(rootPem);
    return new NodePeers(() -> roots, clock, _ -> true);
  }

  private boolean ofThisCluster(NodeName peer) {
    return certificate().map(own -> own.name().clusterId().equals(peer.clusterId())).orElse(false);
  }

  /** Who is at the other end of a connection that {@link #peers} let in; a stranger when it showed no certificate of the cluster. */
  public Caller caller(SSLSession session) {
    try {
      if (session.getPeerCertificates()[0] instanceof X509Certificate leaf) {
        Optional<NodeName> name = NodeName.of(leaf).filter(this::ofThisCluster);
        if (name.isPresent()) {
          return new Caller.Node(name.get().nodeId(), name.get().role());
        }
      }
      return new Caller.Stranger();
    } catch (SSLPeerUnverifiedException _) { // it showed none
      return new Caller.Stranger();
    }
  }

  /** What the API shows of it: the roots that this node trusts, and who issued its certificate. */
  public TLSInfo info() {
    Held now = held();
    TLSInfo.Builder info = TLSInfo.newBuilder().setTrustRoot(Pem.certificates(now.roots()));
    now.certificate().flatMap(own -> issuer(own, now.roots())).ifPresent(issuer ->
        info.setCertIssuerSubject(ByteString.copyFrom(issuer.getSubjectX500Principal().getEncoded()))
            .setCertIssuerPublicKey(ByteString.copyFrom(issuer.getPublicKey().getEncoded())));
    return info.build();
  }

  private static Optional<X509Certificate> issuer(NodeCertificate own, List<X509Certificate> roots) {
    List<X509Certificate> candidates = new ArrayList<>(own.chain().subList(1, own.chain().size()));
    candidates.addAll(roots);
    return candidates.stream().filter(candidate -> signed(candidate, own.own())).findFirst();
  }

  private static boolean signed(X509Certificate issuer, X509Certificate certificate) {
    try {
      certificate.verify(issuer.getPublicKey());
      return true;
    } catch (GeneralSecurityException e) {
      return false; // another root's
    }
  }
}
