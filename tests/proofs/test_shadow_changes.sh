# Shadow tables: nothing is left that the guest has purged, invalidated, or moved by its prefix; 16 or 4 of 256 segments.
. "$SOURCE_DIR/tests/support/shell.sh"
. "$SOURCE_DIR/tests/support/cbmc.sh"

harness tests/proofs/shadow.c "65 move_real.0:2,move_real.1:2,stale.0:2" vmm/reference/access.c vmm/reference/allocator.c mmu/dat.c
bound vmm/reference/shadow.c SEGMENTS 16
prove begin
prove select_with_dat
prove select_without_dat
bound vmm/reference/shadow.c SEGMENTS 4
prove purge_all
prove change_prefix
prove invalidate_one

shadow=vmm/reference/shadow.c
# A space taken for another without being emptied; formats not told apart; purging without the TLB, and of the first
# segments only; the old prefix forgotten; IPTE of a page index that is taken modulo 64 KB.
refute select_with_dat $shadow '/^static struct space \*take/,/^}/s/        clear(v, c, s);/        ;/'
refute select_with_dat $shadow 's/(DAT_FORMAT_MASK | CR0_PAGE_PROTECTION)) << 32/CR0_PAGE_PROTECTION) << 32/'
refute purge_all $shadow '/^static void drop_segment/,/^}/s/    stale(v, c);//'
refute purge_all $shadow '/^static void clear(/,/^}/s/n < SEGMENTS/n < SEGMENTS - 1/'
refute change_prefix $shadow 's/    drop_page(v, c, real, c->prefix);//'
refute invalidate_one $shadow 's/s->megabytes && (segment & 15) != index >> per_segment/false/'
