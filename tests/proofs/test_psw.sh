# Both formats of the PSW, for all 2^64 of them.
. "$SOURCE_DIR/tests/support/shell.sh"
. "$SOURCE_DIR/tests/support/cbmc.sh"

harness tests/proofs/psw.c 9 isa/psw.c
prove main

refute main isa/psw.c 's/from\[2\] & 0xC0/from[2] \& 0x80/'
refute main isa/psw.c 's/flags >> 4 & 3/flags >> 4 \& 1/'
