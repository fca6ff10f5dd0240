# Sourced: sets JAVA_BIN to the java of an installed JDK 25 or newer, or explains what to install and exits 1.
find_jdk() {
  local candidate version
  for candidate in "${HOLDFAST_JAVA_HOME:-}" "${JAVA_HOME:-}" /usr/lib/jvm/*25* /usr/lib/jvm/*2[6-9]* \
      /opt/*jdk*25* "$HOME"/.sdkman/candidates/java/* /Library/Java/JavaVirtualMachines/*/Contents/Home \
      "$(dirname "$(dirname "$(readlink -f "$(command -v java 2>/dev/null || echo /none/none)")")")"; do
    [ -n "$candidate" ] && [ -x "$candidate/bin/javac" ] && [ -f "$candidate/release" ] || continue
    version=$(sed -n 's/^JAVA_VERSION="\([0-9]*\).*/\1/p' "$candidate/release")
    if [ -n "$version" ] && [ "$version" -ge 25 ]; then
      JAVA_BIN="$candidate/bin/java"
      return 0
    fi
  done
  echo "holdfast: no JDK 25 or newer was found. Install one (for instance Eclipse Temurin 25) under /usr/lib/jvm," \
    "or set HOLDFAST_JAVA_HOME or JAVA_HOME to it." >&2
  exit 1
}
find_jdk
