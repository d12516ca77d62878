# What the TLB finds is right, from any contents; 2 of its 64 sets.
. "$SOURCE_DIR/tests/support/shell.sh"
. "$SOURCE_DIR/tests/support/cbmc.sh"

harness tests/proofs/tlb.c 65 mmu/tlb.c
bound mmu/tlb.h TLB_SETS 2
prove find_any
prove insert_two
prove purge
prove drop_frame

# Spaces not told apart; formats neither, for common segments; the way used last is the one that goes; a frame dropped in
# one way only.
refute find_any mmu/tlb.c 's/return e->space == space ||/return e->space << 8 == space << 8 ||/'
refute find_any mmu/tlb.c 's/e->common && e->space >> 32 == space >> 32/e->common/'
refute insert_two mmu/tlb.c 's/    set\[1\] = set\[0\];$/    set[1] = set[1];/'
refute drop_frame mmu/tlb.c 's/w < TLB_WAYS; w++)$/w < 1; w++)/'
