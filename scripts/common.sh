# shellcheck shell=bash
# Sourced by ./verify, ./demo, examples/run and benchmarks/run.

die() {
  echo "$*" >&2
  exit 1
}

# The feature version of the JDK in folder $1; 0 if it is none.
jdk_version() {
  local version
  version=$("$1/bin/javac" -version 2>&1) || version=
  version=${version#javac }
  version=${version%%[!0-9]*}
  echo "${version:-0}"
}

# Exports JAVA_HOME: the user's, or else the first JDK found that will do.
find_jdk() {
  local javac home
  if [ -n "${JAVA_HOME:-}" ]; then
    [ "$(jdk_version "$JAVA_HOME")" -ge 17 ] || die "JAVA_HOME is $JAVA_HOME, which is not a JDK 17 or newer."
    return 0
  fi
  for javac in "$(command -v javac)" /usr/lib/jvm/*/bin/javac; do
    [ -x "$javac" ] || continue
    home=$("${javac%c}" -XshowSettings:properties -version 2>&1 | sed -n 's/^ *java\.home = //p') || continue
    if [ "$(jdk_version "$home")" -ge 17 ]; then
      export JAVA_HOME=$home
      return 0
    fi
  done
  return 1
}

has() {
  case $1 in
    jdk) find_jdk ;;
    maven) command -v mvn >/dev/null ;;
    cc) cc -E -x c -include stdio.h /dev/null >/dev/null 2>&1 ;;
    postgres) compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null || command -v postgres >/dev/null ;;
    *) PATH=$PATH:/usr/sbin:/sbin command -v "$1" >/dev/null ;;
  esac
}

debian_packages() {
  local tool
  for tool; do
    case $tool in
      jdk) if apt-cache show openjdk-17-jdk-headless >/dev/null 2>&1; then
             echo openjdk-17-jdk-headless
           else
             echo default-jdk-headless
           fi ;;
      cc) echo gcc libc6-dev ;;
      systemd-*) echo systemd ;;
      nc) echo netcat-openbsd ;;
      unixserver) echo ucspi-unix ;;
      logger) echo bsdutils ;;
      dbus-send) echo dbus-bin ;;
      redis-cli) echo redis-tools ;;
      postgres) echo postgresql ;;
      psql) echo postgresql-client ;;
      clamd) echo clamav-daemon ;;
      *) echo "$tool" ;;
    esac
  done | xargs
}

# prepare jdk maven cc python3: installs what is missing where it may (as root on Debian), and otherwise says in one
# line what to install.
prepare() {
  local tool missing=() packages log
  for tool; do
    has "$tool" || missing+=("$tool")
  done
  [ ${#missing[@]} -gt 0 ] || return 0

  if ! command -v apt-get >/dev/null; then
    die "Missing: ${missing[*]} (jdk: a JDK 17 or newer, cc: a C compiler). Install them with your system's package manager."
  elif [ "$(id -u)" -ne 0 ]; then
    die "Missing: ${missing[*]}. Install: sudo apt-get install $(debian_packages "${missing[@]}")"
  fi

  log=$(mktemp)
  apt-get -q update </dev/null >"$log" 2>&1 || { cat "$log" >&2; die "apt-get update failed."; }
  packages=$(debian_packages "${missing[@]}")
  echo "installing $packages"
  # RUNLEVEL=1 keeps servers from being started: nobody but the tests needs them, and the tests start their own.
  # shellcheck disable=SC2086
  RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install $packages </dev/null >"$log" 2>&1 ||
    { tail -n 20 "$log" >&2; die "apt-get install $packages failed."; }
  rm -f "$log"
  for tool in "${missing[@]}"; do
    has "$tool" || die "Installed $packages and still found no $tool."
  done
}

# Maven without a terminal's decorations.
maven() {
  mvn -B -ntp -Dstyle.color=never "$@" </dev/null
}

# Is file $1 missing or older than one of the files and folders after it?
stale() {
  [ ! -e "$1" ] || [ -n "$(find "${@:2}" -type f -newer "$1" -print)" ]
}

# Builds the examples of the tree in folder $1, if they are older than their sources. Sets $examples and $lib, where
# in the tree the jar and those that it needs are.
build_examples() {
  local version transport log=$1/target/build.log
  version=$(sed -n 's/^  <version>\(.*\)<\/version>$/\1/p' "$1/pom.xml")
  transport=transport-unix/target/netty-transport-unix-$version.jar
  examples=examples/target/netty-transport-unix-examples-$version.jar
  lib=examples/target/lib
  if stale "$1/$transport" "$1"/{pom.xml,transport-unix/pom.xml,transport-unix/native.xml,transport-unix/src/main} ||
    stale "$1/$examples" "$1"/{examples/pom.xml,examples/src/main} || [ ! -d "$1/$lib" ]; then
    echo "building"
    mkdir -p "$1/target"
    maven -f "$1/pom.xml" -DskipTests -Dmaven.javadoc.skip package -pl transport-unix,examples -am >"$log" 2>&1 ||
      { build_failure "$log"; exit 1; } >&2
    touch "$1/$transport" "$1/$examples"
  fi
}

# From Maven's output in file $1: the tests that failed, with their messages, or else what the failed step had to say.
build_failure() {
  awk '
    /^\[ERROR\] (Failures|Errors):/ { in_tests = 1 }
    /^\[ERROR\] Tests run:/ { in_tests = 0 }
    in_tests && !/^\[INFO\]/ { tests = tests $0 "\n" }
    /^\[INFO\] --- / { step = ""; in_step = 1 }
    /^\[INFO\] (BUILD|Reactor Summary)/ { in_step = 0 }
    /Failed to execute goal/ { in_step = 1 }
    in_step && !/^\[INFO\] *-*$/ { step = step $0 "\n" }
    /-> \[Help/ { in_step = 0 }
    { last = last $0 "\n"; if (NR > 20) sub(/^[^\n]*\n/, "", last) }
    END { printf "%s", tests != "" ? tests : step != "" ? step : last }' "$1" | sed -n 1,100p
  echo "(all of it: $1)"
}
