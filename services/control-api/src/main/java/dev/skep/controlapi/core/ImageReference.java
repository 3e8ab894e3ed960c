package dev.skep.controlapi.core;

import java.util.Locale;
import java.util.regex.Pattern;

/** Docker's grammar of image names: {@code [domain[:port]/]path[:tag][@digest]}, the path in lower case. */
final class ImageReference {
  private static final int MAX_NAME = 255;
  private static final int MAX_REFERENCE = 1024;

  private static final String COMPONENT = "[a-z0-9]++(?:(?:[._]|__|-++)[a-z0-9]++)*+";
  private static final Pattern PATH = Pattern.compile(COMPONENT + "(?:/" + COMPONENT + ")*+");
  private static final String LABEL = "[a-zA-Z0-9]++(?:-++[a-zA-Z0-9]++)*+";
  private static final Pattern DOMAIN = Pattern.compile("(?:" + LABEL + "(?:\\." + LABEL + ")*+|\\[[a-fA-F0-9:]++])(?::[0-9]++)?");
  private static final Pattern TAG = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}");
  private static final Pattern DIGEST = Pattern.compile("[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}");
  private static final Pattern IDENTIFIER = Pattern.compile("[a-f0-9]{64}");

  private ImageReference() {}

  static boolean valid(String reference) {
    if (reference.isEmpty() || reference.length() > MAX_REFERENCE || IDENTIFIER.matcher(reference).matches()) {
      return false;
    }
    String rest = reference;
    int at = rest.indexOf('@');
    if (at >= 0) {
      if (!DIGEST.matcher(rest.substring(at + 1)).matches()) {
        return false;
      }
      rest = rest.substring(0, at);
    }
    int colon = rest.lastIndexOf(':');
    if (colon > rest.lastIndexOf('/')) {
      if (!TAG.matcher(rest.substring(colon + 1)).matches()) {
        return false;
      }
      rest = rest.substring(0, colon);
    }
    return name(rest);
  }

  private static boolean name(String name) {
    if (name.length() > MAX_NAME) {
      return false;
    }
    int slash = name.indexOf('/');
    String first = slash < 0 ? "" : name.substring(0, slash);
    // Only what looks like a host is one: everything else is the first part of a path on the default registry.
    boolean domain = first.indexOf('.') >= 0 || first.indexOf(':') >= 0 || first.equals("localhost")
        || !first.equals(first.toLowerCase(Locale.ROOT));
    if (!domain) {
      return PATH.matcher(name).matches();
    }
    return DOMAIN.matcher(first).matches() && PATH.matcher(name.substring(slash + 1)).matches();
  }
}
