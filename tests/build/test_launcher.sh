# The launcher, on a small project of its own: what it runs, builds, installs and refuses.
. "$SOURCE_DIR/tests/support/shell.sh"
unset CLOUD370_BUILD_DIR

# A project whose program prints its arguments and its folder.
tree="$work/a folder's \$name"
mkdir -p "$tree/ui"
cp "$SOURCE_DIR/cloud370" "$tree/"
cat >"$tree/CMakeLists.txt" <<'END'
cmake_minimum_required(VERSION 3.22)
project(toy LANGUAGES C)
add_executable(cloud370 ui/main.c)
if(CLOUD370_TESTS)
    enable_testing()
    add_test(NAME good COMMAND true)
    add_test(NAME bad COMMAND sh -c "test ! -e \"${CMAKE_SOURCE_DIR}/ui/make-it-fail\"")
    add_test(NAME absent COMMAND sh -c "exit 77")
    set_tests_properties(absent PROPERTIES SKIP_RETURN_CODE 77)
endif()
END
write_program() {
    cat >"$tree/ui/main.c" <<END
#include <stdio.h>
#include <unistd.h>
int main(int argc, char **argv) {
    char folder[4096];
    printf("$1 %s", getcwd(folder, sizeof folder));
    for (int i = 1; i < argc; i++) printf(" [%s]", argv[i]);
    puts("");
    return 3;
}
END
}
write_program one
here=$(pwd -P)

# The first call builds, says so in one line, and passes arguments, exit status and current directory.
expect 3 "$tree/cloud370" run "a b" '*' -- --no-install ''
out_is "one $here [run] [a b] [*] [--] [--no-install] []"
[ "$(wc -l <"$work/err")" -eq 1 ] || fail "more than one line: $(cat "$work/err")"
err_has "cloud370: building"

# The second call builds nothing and says nothing, through a chain of symbolic links and from elsewhere too.
mkdir "$work/bin"
ln -s "$tree/cloud370" "$work/first"
ln -s ../first "$work/bin/c370"
before=$(ls -l --time-style=full-iso "$tree/build/release/cloud370")
cd "$work/bin"
expect 3 ./c370 --help
out_is "one $work/bin [--help]"
err_is ""
PATH="$work/bin:$PATH" expect 3 c370
out_is "one $work/bin"
cd /
expect 3 sh "$tree/cloud370"
out_is "one /"
[ "$before" = "$(ls -l --time-style=full-iso "$tree/build/release/cloud370")" ] || fail "built again without need"

# A changed source is built, quietly.
write_program two
expect 3 "$tree/cloud370"
out_is "two /"
err_is ""

# A build that fails shows why; what it printed is not lost, and the next call tries again.
echo 'int main(void) { return nonsense; }' >"$tree/ui/main.c"
expect 70 "$tree/cloud370"
err_has nonsense
err_has "cloud370: the build failed"
write_program three
expect 3 "$tree/cloud370"
out_is "three /"

# Calls at the same time build once, and all of them run.
write_program four
for i in 1 2 3; do
    "$tree/cloud370" $i >"$work/parallel$i" 2>&1 &
done
wait
for i in 1 2 3; do
    grep -q "^four / \[$i\]\$" "$work/parallel$i" || fail "parallel call $i: $(cat "$work/parallel$i")"
done

# A moved tree builds anew where it is now.
mv "$tree" "$work/moved"
tree=$work/moved
write_program five
expect 3 "$tree/cloud370"
out_is "five /"

# Builds can go elsewhere.
expect 3 env CLOUD370_BUILD_DIR="$work/else where" "$tree/cloud370"
[ -x "$work/else where/release/cloud370" ] || fail "nothing was built in CLOUD370_BUILD_DIR"

# doctor lists what is there, and passes on to the program where there is one.
expect 3 "$tree/cloud370" doctor --verbose
out_has "cmake 3.22 or later"
out_has "[doctor] [--verbose]"
expect 0 env CLOUD370_BUILD_DIR="$work/empty" "$tree/cloud370" doctor
out_has "nothing is built yet"
[ ! -e "$work/empty" ] || fail "doctor built something"

# Where nothing is installed but a shell: every way names what is missing, and exits 2.
mkdir "$work/few"
for tool in sh cat mkdir sed grep rm mv find tail head id awk readlink flock sleep mktemp env; do
    path=$(command -v $tool) && ln -s "$path" "$work/few/$tool"
done
few() { PATH="$work/few" CC='' CLOUD370_BUILD_DIR="$work/empty" expect 2 "$tree/cloud370" "$@"; }
few run
err_has "missing: a C compiler (gcc)"
err_has "there is no apt-get here"
few --no-install run
err_has "cmake 3.22 or later (cmake)"
err_has "ninja or make (ninja-build)"
err_has "--no-install was given"
few test
err_has "cmake 3.22 or later (cmake)"
PATH="$work/few" CC='' CLOUD370_BUILD_DIR="$work/empty" expect 1 "$tree/cloud370" doctor
out_has "missing   to build  cmake"
PATH="$work/few" CC='' CLOUD370_BUILD_DIR="$work/empty" expect 1 "$tree/cloud370" doctor --json
out_has '"built":false'

# With apt-get, what is missing is asked for, once more after fetching the lists. This one installs by links, to what
# the test itself was built with, and only after `update`.
cat >"$work/few/apt-get" <<END
#!/bin/sh
echo "\$*" >>"$work/apt.log"
case " \$* " in
*" update "*) : >"$work/updated" ;;
*)
    [ -e "$work/updated" ] || { echo "Unable to locate package"; exit 100; }
    [ -e "$work/works" ] || { echo "the disk is full"; exit 100; }
    PATH='$PATH'
    for tool in cc gcc clang cmake ctest ninja make pkg-config as ld ar ranlib nm uname getconf; do
        path=\$(command -v \$tool) && ln -s "\$path" "$work/few/\$tool"
    done
    ;;
esac
exit 0
END
cat >"$work/few/sudo" <<'END'
#!/bin/sh
[ "$1" != -n ] || shift
exec "$@"
END
chmod +x "$work/few/apt-get" "$work/few/sudo"
few run
err_has "cloud370: installing gcc"
err_has "the disk is full"
err_has "could not install gcc"
[ "$(grep -c ' update$' "$work/apt.log")" -eq 1 ] || fail "$(cat "$work/apt.log")"
rm "$work/apt.log"
few --no-install run
[ ! -e "$work/apt.log" ] || fail "--no-install called apt-get"
PATH="$work/few" CC='' expect 3 "$tree/cloud370" fresh
[ ! -e "$work/apt.log" ] || fail "a call with nothing to do called apt-get"

: >"$work/works"
rm "$work/updated"
PATH="$work/few" CC='' CLOUD370_BUILD_DIR="$work/installed" expect 3 "$tree/cloud370" after apt-get
out_is "five / [after] [apt-get]"
[ "$(wc -l <"$work/err")" -eq 2 ] || fail "more than two lines: $(cat "$work/err")"
grep -q 'install --no-install-recommends gcc .*cmake' "$work/apt.log" || fail "$(cat "$work/apt.log")"
rm "$work/apt.log"
PATH="$work/few" CC='' CLOUD370_BUILD_DIR="$work/installed" expect 3 "$tree/cloud370"
err_is ""
[ ! -e "$work/apt.log" ] || fail "the second call called apt-get"

# What is only compared with is asked for one by one: that apt does not know one keeps none of the others away, and the
# tests run without. On Debian 12 cbmc is sought in Debian 11, by lists of our own and at the mirror that apt has.
cat >"$work/few/apt-get" <<END
#!/bin/sh
echo "\$*" >>"$work/apt.log"
case " \$* " in
*" indextargets "*) echo http://mirror.example/debian ;;
*" download cbmc "*) : >cbmc_5.12-5_all.deb ;;
*" update "*) ;;
*/cbmc_5.12-5_all.deb\ *) printf '#!/bin/sh\n' >"$work/few/cbmc" && chmod +x "$work/few/cbmc" ;;
*) echo "Unable to locate package" && exit 100 ;;
esac
exit 0
END
for tool in chmod dirname; do
    [ -e "$work/few/$tool" ] || ln -s "$(command -v $tool)" "$work/few/$tool"
done
printf '#!/bin/sh\n' >"$work/few/true"
chmod +x "$work/few/true"
PATH="$work/few" CC='' CLOUD370_BUILD_DIR="$work/installed" expect 0 "$tree/cloud370" test good
out_has "1 passed, 0 failed"
err_has "cloud370: installing hercules"
err_has "missing: Hercules (hercules)"
err_has "tests that need them are skipped"
grep -q 'install --no-install-recommends hercules$' "$work/apt.log" || fail "$(cat "$work/apt.log")"
grep -q 'install --no-install-recommends cbmc$' "$work/apt.log" || fail "$(cat "$work/apt.log")"
if grep -qs '^VERSION_CODENAME=bookworm' /etc/os-release; then
    grep -q 'SourceParts=/dev/null .* download cbmc$' "$work/apt.log" || fail "$(cat "$work/apt.log")"
    ! grep -q 'missing: .*(cbmc)' "$work/err" || fail "$(cat "$work/err")"
else
    err_has "(cbmc); tests that need them"
fi
rm "$work/apt.log"
PATH="$work/few" CC='' CLOUD370_BUILD_DIR="$work/installed" expect 0 "$tree/cloud370" --no-install test good
[ ! -e "$work/apt.log" ] || fail "--no-install called apt-get"

# A folder that cannot be written (a file is in the way, which stops root as well) is named.
echo >"$work/file"
expect 2 env CLOUD370_BUILD_DIR="$work/file" "$tree/cloud370"
err_has "cannot write in $work/file/release"

# test ends in the count, and tells success from failure.
expect 0 "$tree/cloud370" --no-install test
[ "$(tail -n 1 "$work/out")" = "2 passed, 0 failed, 1 skipped" ] || fail "$(cat "$work/out")"
: >"$tree/ui/make-it-fail"
expect 1 "$tree/cloud370" --no-install test
[ "$(tail -n 1 "$work/out")" = "1 passed, 1 failed, 1 skipped" ] || fail "$(cat "$work/out")"
expect 0 "$tree/cloud370" --no-install test good
[ "$(tail -n 1 "$work/out")" = "1 passed, 0 failed" ] || fail "$(cat "$work/out")"
expect 1 "$tree/cloud370" --no-install test none-of-this-name
[ "$(tail -n 1 "$work/out")" = "0 passed, 0 failed" ] || fail "$(cat "$work/out")"
err_has "no test matches none-of-this-name"
expect 2 "$tree/cloud370" test --wrong
echo 'int main(void) { return nonsense; }' >"$tree/ui/main.c"
expect 1 "$tree/cloud370" --no-install test
[ "$(tail -n 1 "$work/out")" = "0 passed, 1 failed" ] || fail "$(cat "$work/out")"
err_has nonsense
