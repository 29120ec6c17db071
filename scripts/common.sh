# shellcheck shell=bash
# Sourced by ./verify, ./demo, examples/run, benchmarks/run and the scripts in transport-unix/natives.

# In the POSIX locale a JVM cannot open paths that are not ASCII, the tree's own among them.
if [ "$(locale charmap 2>/dev/null)" != UTF-8 ] && locale -a 2>/dev/null | grep -qix 'C\.utf-\?8'; then
  export LC_ALL=C.UTF-8
fi

# Ctrl-C ends the script, not only the command that runs. No failure is reported, and the EXIT trap still runs.
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
trap end_jobs EXIT

die() {
  echo "$*" >&2
  exit 1
}

# The feature version of the JDK in folder $1; 0 if it is none.
jdk_version() {
  local version
  # Not simply the first line: JAVA_TOOL_OPTIONS makes every JVM print one before it.
  version=$("$1/bin/javac" -version 2>&1 | sed -n 's/^javac \([0-9][0-9]*\).*/\1/p') || version=
  echo "${version:-0}"
}

# Exports JAVA_HOME: the user's, or else the first JDK found that is new enough.
find_jdk() {
  local javac home
  if [ -n "${JAVA_HOME:-}" ]; then
    [ "$(jdk_version "$JAVA_HOME")" -ge 17 ] || die "JAVA_HOME is $JAVA_HOME, which is not a JDK 17 or newer."
    export JAVA_HOME
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

# Downloads Maven, for users who cannot install Debian's.
wrapper=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)/mvnw

can_install() {
  [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null
}

has() {
  case $1 in
    jdk) find_jdk ;;
    maven) command -v mvn >/dev/null || ! can_install ;;
    gcc) gcc --version 2>/dev/null | grep -q 'Free Software Foundation' ;;
    clang-format-19) command -v "$1" >/dev/null || clang-format --version 2>/dev/null | grep -q 'version 19\.' ;;
    ld-musl) [ -x /lib/ld-musl-x86_64.so.1 ] ;;
    libfuzzer) compgen -G "$(clang -print-resource-dir)/lib/*/libclang_rt.fuzzer*.a" >/dev/null ;;
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
      cc | gcc) echo gcc libc6-dev ;;
      systemd-*) echo systemd ;;
      nc) echo netcat-openbsd ;;
      unixserver) echo ucspi-unix ;;
      logger) echo bsdutils ;;
      readelf) echo binutils ;;
      llvm-*) echo llvm ;;
      ld-musl) echo musl ;;
      libfuzzer) echo libclang-rt-dev ;;
      qemu-*-static) echo qemu-user-static ;;
      dbus-send) echo dbus-bin ;;
      redis-cli) echo redis-tools ;;
      postgres) echo postgresql ;;
      psql) echo postgresql-client ;;
      node) echo nodejs ;;
      clamd) echo clamav-daemon ;;
      *) echo "$tool" ;;
    esac
  done | xargs -n 1 | awk '!known[$0]++' | xargs
}

# Prints which of the programs $@ are missing.
missing() {
  local tool
  for tool; do
    has "$tool" || echo "$tool"
  done
}

# prepare jdk maven cc python3: installs what is missing where it may (as root on Debian), and otherwise says in one
# line what to install.
prepare() {
  local tool missing packages log
  # Here, not in the subshell below, so that JAVA_HOME is set.
  for tool; do
    [ "$tool" != jdk ] || find_jdk || true
  done
  missing=$(missing "$@" | xargs)
  [ -n "$missing" ] || return 0

  if ! command -v apt-get >/dev/null; then
    die "Missing: $missing (jdk: a JDK 17 or newer, cc: a C compiler). Install them with your system's package manager."
  fi
  # shellcheck disable=SC2086
  packages=$(debian_packages $missing)
  if [ "$(id -u)" -ne 0 ]; then
    die "Missing: $missing. Install: sudo apt-get install --no-install-recommends $packages"
  fi

  log=$(mktemp)
  apt-get -q update </dev/null >"$log" 2>&1 || { cat "$log" >&2; die "apt-get update failed."; }
  # Again, because the names of some packages are known only after the update.
  # shellcheck disable=SC2086
  packages=$(debian_packages $missing)
  echo "Installing $packages"
  # shellcheck disable=SC2086
  LC_ALL=C apt-get --assume-no --no-install-recommends install $packages </dev/null 2>/dev/null |
    sed -n -e 's/.* \([0-9][0-9]*\) newly installed.*/  \1 packages, with those that they depend on/p' \
      -e 's/^Need to get \(.*\) of archives\.$/  \1 to download/p' \
      -e 's/^After this operation, \(.*\) of additional disk space will be used\.$/  \1 on disk/p' || true
  [ ! -t 0 ] || { echo "  Ctrl-C within five seconds stops this."; sleep 5; }
  # shellcheck disable=SC2086
  (install_without_services $packages) >"$log" 2>&1 ||
    { tail -n 20 "$log" >&2; die "apt-get install $packages failed."; }
  rm -f "$log"
  for tool in $missing; do
    has "$tool" || die "Installed $packages and still found no $tool."
  done
}

# Installs packages, and starts or enables none of the services that come with them: the tests start servers of their own.
# Runs in a subshell.
install_without_services() {
  local before policy=/usr/sbin/policy-rc.d link
  before=$(enabled_services)
  # Debian's packages start no service if this program exists and returns 101.
  if [ ! -e $policy ]; then
    trap 'rm -f /usr/sbin/policy-rc.d' EXIT
    printf '#!/bin/sh\nexit 101\n' >$policy
    chmod 755 $policy
  elif $policy nginx start >/dev/null 2>&1; then
    trap 'mv -f /usr/sbin/policy-rc.d.kept /usr/sbin/policy-rc.d' EXIT
    mv $policy $policy.kept
    printf '#!/bin/sh\nexit 101\n' >$policy
    chmod 755 $policy
  fi
  # RUNLEVEL=1 has the same effect on older tools.
  RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install "$@" </dev/null || return 1
  # Disable whatever was not enabled before. Init systems take a removed link for the administrator's choice.
  enabled_services | comm -13 <(echo "$before") - | while IFS= read -r link; do
    case $link in
      /etc/rc?.d/*) update-rc.d "$(basename "$link" | sed 's/^S[0-9]*//')" disable || true ;;
      *) rm -f "$link" ;;
    esac
  done
}

# Prints the links that make services start: those to units, except systemd's own, and those of SysV's run levels.
enabled_services() {
  local link unit
  {
    find /etc/systemd/system /etc/systemd/user -type l
    find /etc/rc?.d -type l -name 'S*'
  } 2>/dev/null | while IFS= read -r link; do
    # Packages may know a unit by either of its names.
    unit=$(readlink -f "$link")
    case $(dpkg -S "$unit" "${unit#/usr}" 2>/dev/null) in
      systemd*:*) ;;
      *) echo "$link" ;;
    esac
  done | sort
}

# run COMMAND ...: runs it so that a signal ends it at once, with all that it has started.
run() {
  start_job "$@"
  await_job "$job"
}

# start_job COMMAND ...: the same beside what follows, until await_job "$job".
jobs=()
start_job() {
  set -m
  "$@" &
  job=$!
  set +m
  jobs+=("$job")
}

# await_job JOB: waits until it has ended, and returns its exit status.
await_job() {
  local status=0 other others=()
  wait "$1" || status=$?
  for other in "${jobs[@]}"; do
    [ "$other" = "$1" ] || others+=("$other")
  done
  jobs=(${others[@]+"${others[@]}"})
  return "$status"
}

# Ends what has been started, if a signal came meanwhile.
end_jobs() {
  local job
  for job in ${jobs[@]+"${jobs[@]}"}; do
    kill -TERM -- "-$job" 2>/dev/null || true
  done
  for job in ${jobs[@]+"${jobs[@]}"}; do
    for _ in 1 2 3 4 5 6 7 8 9 10; do
      kill -0 -- "-$job" 2>/dev/null || continue 2
      sleep 0.2
    done
    kill -KILL -- "-$job" 2>/dev/null || true
  done
}

# Copies the tree to folder $1: the sources and, with $2 = built, also what was built from them.
copy_tree() {
  local skip=target
  [ "${2:-}" != built ] || skip=.git
  find . \( -name .git -o -name "$skip" \) -prune -o -type f -print0 | tar -c --null -T - | tar -x -C "$1"
}

# Runs Maven, the installed one or else the wrapper's, with plain text as its output.
maven() {
  local command=mvn
  command -v mvn >/dev/null || command=$wrapper
  "$command" -B -ntp -Dstyle.color=never "$@" </dev/null
}

# Is file $1 missing or older than one of the files and folders after it?
stale() {
  [ ! -e "$1" ] || [ -n "$(find "${@:2}" -type f -newer "$1" -print)" ]
}

# Sets $examples and $lib to the paths, in the tree in folder $1, of the examples' jar and of the folder with the jars that
# it needs, and $transport to that of the library's.
find_examples() {
  local version
  version=$(sed -n 's/^  <version>\(.*\)<\/version>$/\1/p' "$1/pom.xml")
  transport=transport-unix/target/netty-transport-unix-$version.jar
  examples=examples/target/netty-transport-unix-examples-$version.jar
  lib=examples/target/lib
}

# Builds the examples of the tree in folder $1, if they are older than their sources, and sets what find_examples sets.
build_examples() {
  local log=$1/target/build.log
  find_examples "$1"
  examples_stale "$1" || return 0
  mkdir -p "$1/target"
  # One at a time: a second one waits for the first, and finds everything built.
  exec 9>"$1/target/build.lock"
  ! command -v flock >/dev/null || flock 9
  if examples_stale "$1"; then
    echo "Building, which takes a minute or two the first time"
    run maven -f "$1/pom.xml" -DskipTests -Dmaven.javadoc.skip package -pl transport-unix,examples -am >"$log" 2>&1 ||
      { build_failure "$log"; exit 1; } >&2
    touch "$1/$transport"
    touch "$1/$examples"
  fi
  exec 9>&-
}

examples_stale() {
  stale "$1/$transport" "$1"/{pom.xml,transport-unix/pom.xml,transport-unix/native.xml,transport-unix/src/main} ||
    stale "$1/$examples" "$1"/{examples/pom.xml,examples/src/main,"$transport"} || [ ! -d "$1/$lib" ]
}

# Prints, from the surefire reports $@, the reasons why tests were left out, each with the number of tests.
left_out() {
  cat /dev/null "$@" | sed -n 's/.*<skipped message="left out: \([^"]*\)".*/\1/p' | sort | uniq -c | sed 's/^ */  /'
}

# Prints, from Maven's output in file $1, the tests that failed, or else the output of the step that failed.
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
