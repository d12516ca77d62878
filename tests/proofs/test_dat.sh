# The walk of mmu/dat.c is that of the Principles of Operation, for all control registers, addresses and entries.
. "$SOURCE_DIR/tests/support/shell.sh"
. "$SOURCE_DIR/tests/support/cbmc.sh"

harness tests/proofs/dat.c 10 mmu/dat.c
prove main

# Segment index compared with a length of the wrong unit; page-table origin of too few bits; a bit that must be zero
# forgotten; tests in another order.
refute main mmu/dat.c 's/va >> 20 > cr1 >> 24/va >> 16 > cr1 >> 24/'
refute main mmu/dat.c 's/segment_entry & 0x00FFFFF8/segment_entry \& 0x00FFFFF0/'
refute main mmu/dat.c 's/0x6 : 0x2;/0x4 : 0x2;/'
refute main mmu/dat.c 's/segment_entry & STE_INVALID)/segment_entry \& STE_INVALID \&\& !(w->segment_entry \& STE_MUST_BE_ZERO))/'
