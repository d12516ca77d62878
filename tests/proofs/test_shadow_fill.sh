# Shadow tables: what is filled is the guest's translation followed by the host's; 4 of 256 segments.
. "$SOURCE_DIR/tests/support/shell.sh"
. "$SOURCE_DIR/tests/support/cbmc.sh"

harness tests/proofs/shadow.c "65 move_real.0:2,move_real.1:2,stale.0:2" vmm/reference/access.c vmm/reference/allocator.c mmu/dat.c
bound vmm/reference/shadow.c SEGMENTS 4
prove fill_with_dat
prove fill_without_dat

shadow=vmm/reference/shadow.c
# Prefixing forgotten; the guest's segment protection; entries of another segment kept; the hole in the machine.
refute fill_with_dat $shadow 's/absolute = guest_absolute(c, w.frame);/absolute = w.frame;/'
refute fill_with_dat $shadow 's/ | (guest_entry & STE_PROTECTED)//'
refute fill_with_dat $shadow 's/if (s->entry\[segment\] == guest_entry) {/if (s->entry[segment] != SEGMENT_INVALID) {/'
refute fill_with_dat $shadow 's/(monitor_machine(v).memory + FRAME_BYTES - 1)/monitor_machine(v).memory/'
refute fill_without_dat $shadow 's/absolute >= machine_of(v, c)->memory/absolute > machine_of(v, c)->memory/'
