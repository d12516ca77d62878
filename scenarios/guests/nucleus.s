* nucleus.s - a small multiprogramming operating system.
*
* Up to six processes, each with an address space of its own, share one
* CPU, a storage that is too small for them, a disk and a typewriter.
* The NUCLEUS, the part of the program that runs in supervisor state,
* makes that so. It starts one process, INIT; INIT starts others; when
* all have ended, the nucleus writes a last line and stops.
*
* It wants to be read from here to its end. Read hello.s, primes.s and
* walk.s before: what they explain is not explained again. The life of
* a page fault, and other stories that cross the sections below, are
* told in docs/nucleus.md.
*
*----------------------------------------------------------------------
* What a process may ask for: SVC n, with arguments in registers 1, 2
* and 3. The answer comes in 15: negative if it is no. Other registers
* are kept.
*
*    0  EXIT   1: code           ends the process
*    1  FORK                     makes a copy of the process; answer:
*                                its number; in the copy: 0
*    2  WAIT   1: number         until that child has ended (0: any);
*                                answer: its number; in 1: its code
*    3  YIELD                    lets others run
*    4  SLEEP  1: milliseconds   lets that time pass
*    5  TIME                     answer: milliseconds since the start
*    6  MORE   1: pages          more storage; answer: where it begins
*    7  OPEN   1: name           of 8 characters; answer: file number
*    8  READ   1: file number    0 is the typewriter; answer: how much
*              2: where to       was read; 0 at the end of a file
*              3: how much
*    9  WRITE  1, 2, 3           the same; answer: how much
*   10  CLOSE  1: file number
*   11  SELF                     answer: the number of the process
*
*----------------------------------------------------------------------
* Real storage. The nucleus runs with translation (DAT) off: addresses
* in it are real ones. No process has a page of it in its tables.
*
*   000000  +--------------------------------------------+
*           | low storage: PSWs, CSW, CAW, codes         |
*   000200  | counters, variables, constants             |
*   001000  +--------------------------------------------+
*           | the code of the nucleus                    |
*           | process blocks, segment and page tables    |
*   NUCEND  +--------------------------------------------+
*           | page frames                                |
*   TEXT    +--------------------------------------------+
*           | the programs of all processes (but frames  |
*           | like all others, once paged out)           |
*   TEXTEND +--------------------------------------------+
*           | the frame table, as long as it has to be   |
*           +--------------------------------------------+
*           | page frames                                |
*           +--------------------------------------------+
*                        where storage ends; START finds out
*
* Virtual storage, as a process sees it: 16 segments of 64K, with pages
* of 4K. Two of the segments exist.
*
*   000000  segment 0: no pages, so that address 0 is never a good one;
*   TEXT    then the programs, in the pages that they have in real
*           storage, too: shared by all, to be fetched, not changed
*   010000  segment 1: the process's own; page 0 from the beginning,
*           the next ones when it asks for MORE; at first all zeros
*   020000  nothing
*
* The disk, device 150, in blocks of 512 bytes. Every page has a home
* on it, eight blocks, from the beginning: nothing is allocated.
*
*      0    left alone: room for a loader and this program
*    256    homes of 7 x 16 pages: those of TEXT, of process 1, ... 6
*   1152    file NOTES, 32 records of one block
*   1184    file LEDGER, the same
*
*----------------------------------------------------------------------
* Three ideas carry the whole:
*
* 1. Nothing interrupts the nucleus: its PSWs have all masks off. So it
*    needs no locks. It is entered by an interruption, does what can be
*    done now, and leaves by RESUME or DISPATCH. It needs no stack.
*
* 2. A process that has to wait is taken off the CPU (BLOCK) with the
*    address of what it waits for, its "channel". Whoever changes that
*    thing calls WAKEUP with the same address. Because of 1, no wakeup
*    is lost between the decision to wait and BLOCK.
*
* 3. Nobody waits in the middle of anything. What cannot be done now is
*    done again later, FROM ITS BEGINNING: an instruction that met a
*    missing page (so the machine does it) and a supervisor call that
*    met one, or a full queue, or no line yet (so we do it: RETRY puts
*    the instruction address back to the SVC).
*
* Registers in the nucleus:
*
*   0-8, 15  for work: what subroutines take, give and change stands
*            above them
*   9, 10    links of subroutines that call others
*   11, 12   bases of the code: CODE+4096 and CODE
*   13       a process block, mostly that of the current process
*   14       link of subroutines that call none
*
* "BZ *+8" skips the next instruction, one of 4 bytes.
*
*----------------------------------------------------------------------
*
*        ENTER: begins the handler of an interruption. The registers of
*        the interrupted process, and its PSW, go to its process block.
*        (Being idle is a process, too: number 0.)
*
         MACRO
&LABEL   ENTER &OLD
&LABEL   STM   0,15,SAVE
         LM    11,13,BASES         Two bases, and the current process.
         MVC   PREGS,SAVE
         MVC   PPSW,&OLD
         MEND
*
*        COUNT: adds 1 to a counter.
*
         MACRO
&LABEL   COUNT &WHAT
&LABEL   LA    15,1
         A     15,&WHAT
         ST    15,&WHAT
         MEND
*
NUCLEUS  START 0
         USING NUCLEUS,0
         USING CODE,12
         USING CODE+4096,11
         USING PROCESS,13
*
*----------------------------------------------------------------------
* Low storage
*----------------------------------------------------------------------
*
* A PSW of the nucleus is X'0008000000......': EC mode, supervisor
* state, DAT off, key 0, and no interruptions.
*
         DC    X'00080000',A(START)    0: restart new PSW
         ORG   NUCLEUS+24
EXTOLD   DS    D                  24: old PSWs
SVCOLD   DS    D                  32
PGMOLD   DS    D                  40
         DS    D                  48
IOOLD    DS    D                  56
CSW      DS    D                  64: channel status word
CAW      DS    F                  72: channel address word
         ORG   NUCLEUS+88
         DC    X'00080000',A(EXTERNAL)  88: new PSWs
         DC    X'00080000',A(CALL)      96
PGMNEW   DC    X'00080000',A(PROGRAM)  104
         DC    X'000A0000000BAD04'     112: machine check: stop
         DC    X'00080000',A(IO)       120
         ORG   NUCLEUS+134
EXTCODE  DS    H                 134: what external interruption
         DS    X
CALLLEN  DS    X                 137: length of the SVC
         DS    X
CALLNUM  DS    X                 139: its number
         DS    H
PGMCODE  DS    H                 142: what program interruption
PGMADDR  DS    F                 144: at which virtual address
         ORG   NUCLEUS+186
IOADDR   DS    H                 186: which device
*
*----------------------------------------------------------------------
* 000200: for whoever loads the nucleus, and whoever looks at it
*----------------------------------------------------------------------
*
         ORG   NUCLEUS+X'200'
LIMIT    DC    F'0'              200: use this much storage; 0: all
         DS    3F
COUNTERS DS    0F                210: since the start:
PAGEINS  DC    F'0'              210: pages read
PAGEOUTS DC    F'0'              214: pages written
ZEROED   DC    F'0'              218: pages that began as zeros
STOLEN   DC    F'0'              21C: frames taken from another page
RUNS     DC    F'0'              220: times that a process got the CPU
NCALLS   DC    F'0'              224: supervisor calls
NFAULTS  DC    F'0'              228: page faults
NEXTERN  DC    F'0'              22C: external interruptions
NIO      DC    F'0'              230: I/O interruptions
NIDLE    DC    F'0'              234: times that nobody could run
NFORKS   DC    F'0'              238: processes made
         DS    F
*
*----------------------------------------------------------------------
* Variables
*----------------------------------------------------------------------
*
SAVE     DS    CL64              Registers, on their way to PREGS.
RUNPSW   DS    D                 A PSW, on its way to the CPU.
BASES    DC    A(CODE+4096,CODE)
CURRENT  DC    A(PROC0)          The current process. (Behind BASES!)
SPACE    DC    F'0'              What control register 1 holds.
LIVE     DC    F'0'              Processes that have not ended.
LASTPID  DC    F'0'              The last number given to a process.
ENDING   DC    X'00'             1: all have ended. 2: last line said.
*
         DS    0F
MEMORY   DS    F                 Where storage ends.
FRAMES   DS    A                 The frame table,
FRAMEEND DS    A                 its end,
HAND     DS    A                 where the clock's hand points,
FREE     DC    A(0)              the first free frame, or 0.
*
BOOT     DS    D                 The time when we started, now,
NOW      DS    D
ALARM    DS    D                 and for which the alarm is set.
SLICE    DC    X'0000000004E20000'   A time slice: 20 ms; see START.
*
DKFIRST  DC    A(0)              The disk's queue: process blocks.
DKLAST   DC    A(0)
OWNER    DC    A(0)              Whose RECORD is.
NAME     DS    CL8               A file name.
*
ATTN     DC    X'00'             1: the operator has called.
WRITING  DC    X'00'             1: the typewriter is writing,
READING  DC    X'00'             what it does about reading:
WANTED   EQU   1                   a line is wanted,
UNDERWAY EQU   2                   is being typed,
ARRIVED  EQU   3                   has arrived.
         DS    0H
LINEHEAD DC    H'0'              The line being written,
LINETAIL DC    H'0'              the next free one,
NLINES   DC    H'0'              how many there are.
INLENGTH DC    H'0'              Length of the line that arrived.
*
*----------------------------------------------------------------------
* Constants
*----------------------------------------------------------------------
*
         DS    0D
NEVER    DC    X'7FFFFFFFFFFFFFFF'   for the CPU timer: centuries
FOREVER  DC    X'FFFFFFFFFFFFFFFF'   for the clock comparator: never
IDLEPSW  DC    X'030E000000000000'   wait for I/O or external
USERPSW  DC    X'070D0000',A(INIT)   DAT, I/O, external; problem state
DONE     DC    X'000A000000000FFF'   the end, disabled wait
DEADPGM  DC    X'000A0000000BAD01'   the ends that should never be
DEADDISK DC    X'000A0000000BAD02'
DEADCONS DC    X'000A0000000BAD03'
DEADSIZE DC    X'000A0000000BAD05'
CONTROL  DC    X'00800C00'       CR0: pages of 4K, segments of 64K;
*                                clock comparator and CPU timer
         DC    A(0)              CR1: no segment table yet
         DC    X'C0000000'       CR2: channels 0 and 1
PAGESIZE DC    F'4096'
LINESIZE EQU   120               longest line on the typewriter
CONSOLE  EQU   X'009'
DISK     EQU   X'150'
*
* The CCW of the typewriter and the channel program of the disk.
*
         DS    0D
TYPE     CCW   X'09',0,X'20',0   write and return; or X'0A', read
*
* The disk's program does one thing or two: write a page that has to
* give up its frame, and read another one into the same frame. DKWHAT
* is LOCATE for the write, or a transfer in channel to the read. X'40'
* chains the next command.
*
DKCCW    CCW   X'63',DKEXTENT,X'40',16    define extent
DKWHAT   CCW   X'43',DKTOWR,X'40',8       locate, or X'08' to DKRDLOC
DKWRITE  CCW   X'41',0,X'40',4096         write
DKRDLOC  CCW   X'43',DKTORD,X'40',8       locate
DKREAD   CCW   X'42',0,X'00',4096         read
*
DKEXTENT DC    X'00000000',F'0,0',A(DKSIZE-1)   blocks 0 to the end
DKTOWR   DC    X'0100',H'8',F'0'   to write: 8 blocks, from block 0
DKTORD   DC    X'0600',H'8',F'0'   to read
*
* The directory: name, first block, how many records fit, how many it
* has.
*
HOMES    EQU   256
FILES    EQU   HOMES+7*16*8
DKSIZE   EQU   FILES+64
         DS    0F
DIR      DC    CL8'NOTES',A(FILES),H'32,0'
LDIR     EQU   *-DIR
         DC    CL8'LEDGER',A(FILES+32),H'32,0'
DIREND   EQU   *
*
* The last line.
*
LASTLINE DC    C'NUCLEUS: ALL PROCESSES HAVE ENDED'
*
         DS    0D
RECORD   DS    CL512             The record on its way to or from disk.
INLINE   DS    CL120             The line that the operator typed.
LINES    DS    4CL128            Lines to be written: length, text.
TEXTAT   EQU   2
*
*----------------------------------------------------------------------
* A process block
*----------------------------------------------------------------------
*
PROCESS  DSECT
PREGS    DS    CL64              General registers,
PPSW     DS    D                 PSW, while it does not run.
PWAKE    DS    D                 When to wake up.
PSPACE   DS    F                 Control register 1: its segment table.
PTABLE   DS    A                 Page table of segment 1.
PFLAGS   DS    A                 Flags of those pages.
PCHAN    DS    A                 What it waits for.
PPARENT  DS    A                 Who made it; 0: nobody is left.
PID      DS    F                 Its number,
PCODE    DS    F                 and the code that it ended with.
PBREAK   DS    F                 How many pages it has in segment 1.
PCHILD   DS    A                 The copy that FORK is making,
PCOPIED  DS    F                 and how many pages are copied.
PFILES   DS    3FD               Open files: directory entry, position.
PSTATE   DS    X                 State:
NOBODY   EQU   0                   there is no such process
READY    EQU   1                   runs, or could run
WAITING  EQU   2                   waits for PCHAN
EMBRYO   EQU   3                   is being made by FORK
ENDED    EQU   4                   has ended; its parent has not asked
PNUMBER  DS    X                 Which block this is, 0 to 6.
*
* Its request to the disk; it has one at most, for it waits meanwhile.
*
RQWHAT   DS    X                 RQWRITE, RQREAD, both
RQWRITE  EQU   1
RQREAD   EQU   2
RQNEXT   DS    A                 the next process in the queue
RQFROM   DS    A                 storage to write from and read into
RQLENGTH DS    F                 how much: 4096 or 512
RQWBLOCK DS    F                 block to write
RQRBLOCK DS    F                 block to read
RQFRAME  DS    A                 frame; 0: it is about a file
RQPAGE   DS    A                 page that is to get the frame, or 0
LPROCESS EQU   ((*-PROCESS+7)/8)*8
PR1      EQU   PREGS+4
PR15     EQU   PREGS+60
*
NUCLEUS  CSECT
         ORG   NUCLEUS+X'1000'
CODE     EQU   *
*
*----------------------------------------------------------------------
* START: find out what there is, make the tables, start INIT
*----------------------------------------------------------------------
*
START    LM    11,13,BASES
         LCTL  0,2,CONTROL       Masks of timers and channels, and the
*                                format of tables.
*
* How much storage? Fetch the last byte of one page after the other,
* until there is none. That is an addressing exception; the program new
* PSW, changed for the time being, leads to PROBED.
*
         MVC   RUNPSW,PGMNEW
         MVC   PGMNEW+4(4),=A(PROBED)
         L     1,=A(TEXTEND)
PROBE    IC    0,4095(1)
         A     1,PAGESIZE
         C     1,=X'01000000'    16M are the most.
         BL    PROBE
PROBED   MVC   PGMNEW(8),RUNPSW
         ICM   0,15,LIMIT        Told to use less?
         BZ    SIZED
         N     0,=X'00FFF000'
         CR    0,1
         BNL   SIZED
         LR    1,0
SIZED    ST    1,MEMORY
*
* The frame table, a word for a frame: a byte, its state, and the
* address of the page-table entry of the page in it. Free frames are a
* list; their address is that of the next one's word. A frame at 4096 n
* has word n.
*
*        EQU   0                 free
FIXED    EQU   1                 not to be taken: the nucleus, this table
INUSE    EQU   2                 holds a page
BUSY     EQU   3                 the disk works on it
*
         S     1,=A(TEXTEND+32768)   A few frames are the least.
         BNM   ENOUGH
         LPSW  DEADSIZE
ENOUGH   L     5,=A(TEXTEND)
         ST    5,FRAMES
         L     6,MEMORY
         SRL   6,10              4 bytes for 4096: a 1024th
         AR    6,5
         ST    6,FRAMEEND
         ST    6,HAND
         LA    7,4095(6)         The first frame behind it.
         N     7,=X'00FFF000'
*
* From the last frame down to the first, so that low ones are used
* first.
*
         LR    5,6
NEXTF    SH    5,=H'4'
         C     5,FRAMES
         BL    FRAMED
         LR    4,5               R4 = the frame itself:
         S     4,FRAMES
         SLL   4,10
         CR    4,7
         BNL   ISFREE
         C     4,=A(TEXTEND)
         BNL   ISFIXED
         C     4,=A(TEXT)
         BNL   ISTEXT
         C     4,=A(NUCEND)
         BNL   ISFREE
ISFIXED  MVC   0(4,5),=AL1(FIXED,0,0,0)
         B     NEXTF
ISFREE   BAL   14,PUTFREE
         B     NEXTF
*
* TEXT lies in storage where its pages lie in virtual storage, so that
* its addresses are the same in both. Each page of it begins its life
* as a page that is in storage, and that was changed: when its frame is
* wanted for the first time, it will be written to its home on disk
* like any other. Nothing else is needed to bring the programs to disk.
*
ISTEXT   LR    6,4               Its entry in the page table of TEXT:
         SRL   6,11              page number x 2.
         A     6,=A(PAGETABS)
         LA    2,CHANGED
         BAL   14,MAP
         BAL   14,FLAGS
         MVI   0(8),GRANTED
         B     NEXTF
*
* Process blocks and their segment tables: segment 0 is TEXT, segment 1
* the process's own, all others invalid. Process 0 is the idle one. An
* entry begins with F, the length of the page table: all 16 entries.
*
FRAMED   L     13,=A(PROC0)
         SR    7,7
         L     5,=A(SEGTABS)
         L     6,=A(PAGETABS)
         L     8,=A(PAGEFLAG)
MAKE     STC   7,PNUMBER
         ST    5,PSPACE          Its length, in the leftmost byte, is
         ST    6,PTABLE          0: one unit, 16 entries.
         ST    8,PFLAGS
         MVC   0(64,5),=16X'00000001'
         L     1,=A(PAGETABS)
         ST    1,0(5)
         OI    0(5),X'F0'
         ST    6,4(5)
         OI    4(5),X'F0'
         MVC   PPSW,USERPSW      Its key is its number: its pages will
         LR    1,7               have that key, too.
         SLL   1,4
         STC   1,SAVE
         OC    PPSW+1(1),SAVE
         LA    7,1(7)
         LA    5,64(5)
         LA    6,32(6)
         LA    8,16(8)
         LA    13,LPROCESS(13)
         CL    13,=A(PROCEND)
         BL    MAKE
*
         L     13,=A(PROC1)      INIT: number 1,
         MVI   PSTATE,READY
         LA    1,1
         ST    1,PID
         ST    1,LASTPID
         ST    1,LIVE
         ST    1,PBREAK          with one page.
         L     8,PFLAGS
         MVI   0(8),GRANTED
         L     13,=A(PROC0)
         MVC   PPSW,IDLEPSW
*
* Time. A slice is 20 ms, or a thousand times what a privileged
* instruction takes, if that is longer: below us there may be monitors,
* and with each of them it takes longer. A slice that is too short for
* getting anywhere would be the end. The privileged instruction that we
* measure is STORE CPU TIMER, 64 times, for nothing.
*
         STCK  BOOT
         LA    1,64
PACE     STPT  ALARM
         BCT   1,PACE
         STCK  NOW
         LM    4,5,NOW
         S     4,BOOT
         SL    5,BOOT+4
         BC    3,*+6             (a borrow)
         BCTR  4,0
         SLDL  4,4               64 x 16
         C     4,SLICE
         BH    PACED
         BL    CLOCKS
         CL    5,SLICE+4
         BNH   CLOCKS
PACED    STM   4,5,SLICE
CLOCKS   SCKC  FOREVER           SET CLOCK COMPARATOR: no alarm yet.
         B     DISPATCH
*
*----------------------------------------------------------------------
* Who runs
*----------------------------------------------------------------------
*
* DISPATCH gives the CPU to the next process, in turn, that is ready;
* if none is, to process 0, whose PSW waits.
*
DISPATCH LA    2,6
LOOK     LA    13,LPROCESS(13)
         CL    13,=A(PROCEND)
         BL    LOOKED
         L     13,=A(PROC1)
LOOKED   CLI   PSTATE,READY
         BE    RUN
         BCT   2,LOOK
*
         COUNT NIDLE
         L     13,=A(PROC0)
         ST    13,CURRENT
         SPT   NEVER             No slice ends while nobody runs.
         B     RESUME
*
RUN      COUNT RUNS
         ST    13,CURRENT
         L     1,PSPACE          Its address space: LOAD CONTROL. The
         CL    1,SPACE           TLB knows for each of its entries from
         BE    SAMESPC           which segment table it was made; there
         ST    1,SPACE           is nothing to purge.
         LCTL  1,1,SPACE
SAMESPC  SPT   SLICE             SET CPU TIMER: it counts down from
*                                here, and interrupts below 0.
*
* RESUME lets the current process go on where it was interrupted. LPSW
* loads everything at once: address, problem state, key, DAT and masks.
*
RESUME   MVC   RUNPSW,PPSW
         LM    0,15,PREGS
         LPSW  RUNPSW
*
* LEAVE: after an interruption that was not the current process's
* doing. It goes on, unless it was the idle one: somebody may be ready
* now.
*
LEAVE    L     13,CURRENT
         CLI   PNUMBER,0
         BE    DISPATCH
         B     RESUME
*
* BLOCK: the current process waits for channel R1. RETRY: the same, and
* its supervisor call is done again afterwards.
*
RETRY    BAL   14,BACKUP
BLOCK    ST    1,PCHAN
         MVI   PSTATE,WAITING
         B     DISPATCH
*
* BACKUP puts the instruction address back to the SVC (or to the
* EXECUTE of an SVC, whose length is 4). Changes R15, R0.
*
BACKUP   SR    15,15
         IC    15,CALLLEN
         L     0,PPSW+4
         SR    0,15
         STCM  0,7,PPSW+5        Three bytes: an address may wrap.
         BR    14
*
* WAKEUP: all who wait for channel R1 are ready again. Changes R2.
*
WAKEUP   L     2,=A(PROC1)
WAKENEXT CLI   PSTATE-PROCESS(2),WAITING
         BNE   ASLEEP
         CL    1,PCHAN-PROCESS(2)
         BNE   ASLEEP
         MVI   PSTATE-PROCESS(2),READY
ASLEEP   LA    2,LPROCESS(2)
         CL    2,=A(PROCEND)
         BL    WAKENEXT
         BR    14
*
*----------------------------------------------------------------------
* Program interruptions
*----------------------------------------------------------------------
*
PROGRAM  ENTER PGMOLD
         TM    PPSW+1,X'01'      Problem state?
         BO    ITSFAULT
         LPSW  DEADPGM           No: ours. There is no going on.
ITSFAULT CLC   PGMCODE,=X'0011'  Page translation?
         BE    FAULT
*
* Anything else ends the process: with X'80' and the code.
*
KILL     LH    1,PGMCODE
         O     1,=X'80000000'
         B     FINISH
*
* A page fault. LOAD REAL ADDRESS walks the tables of the current space
* as the CPU did, and tells by the condition code how far it got: 0, to
* the page, whose real address it gives; 2, to a page-table entry that
* is invalid; then it gives the address of that entry.
*
FAULT    COUNT NFAULTS
         L     2,PGMADDR
         LRA   6,0(2)
         BC    8,RESUME          It is here by now.
         BC    5,KILL            There is no such segment.
         BAL   14,FLAGS
         TM    0(8),GRANTED      Is there such a page at all?
         BZ    KILL
         B     PAGEIN
*
* The address of a page-table entry is all that we need to know of a
* page: entries of all pages lie in one table, PAGETABS, 7 x 16
* halfwords, so that it tells the page's number (0 to 111), and by it
* the page's flags, its home on disk, whose it is, and what key it has.
*
* The flags of a page:
*
GRANTED  EQU   X'80'             it exists: a process may refer to it
ONDISK   EQU   X'40'             its home holds it, or will, before
*                                anybody can read it from there
COMING   EQU   X'20'             it is being brought to storage
*
* A page without ONDISK that is not in storage is one of zeros.
*
* FLAGS: R8 = flags of the page with entry R6.
*
FLAGS    LR    8,6
         S     8,=A(PAGETABS)
         SRL   8,1
         A     8,=A(PAGEFLAG)
         BR    14
*
* HOME: R1 = its first block on disk. (2 bytes a page, 8 blocks.)
*
HOME     LR    1,6
         S     1,=A(PAGETABS)
         SLL   1,2
         LA    1,HOMES(1)
         BR    14
*
* PAGEIN: brings the page with entry R6, which exists and is not in
* storage. Does not return: the current process waits, or goes on at
* once, and does again what it was doing. (Its PSW says what.)
*
PAGEIN   BAL   14,FLAGS
         LR    1,6               TEXT may be coming for somebody else.
         TM    0(8),COMING
         BO    BLOCK
         ST    6,RQPAGE
         BAL   10,GETFRAME       R5 = a frame, R4 = its address
         B     DISPATCH          None: try again a little later.
         L     6,RQPAGE
         BAL   14,FLAGS
         TM    0(8),ONDISK
         BZ    ZEROS
         BAL   14,HOME
         ST    1,RQRBLOCK
         OI    RQWHAT,RQREAD
ZEROS    CLI   RQWHAT,0          Is there anything for the disk to do?
         BNE   TODISK
         BAL   14,CLEAR          No: a page of zeros, at once.
         SR    2,2
         BAL   14,MAP
         B     RESUME
*
TODISK   OI    0(8),COMING
         BAL   9,PAGEIO
         LR    1,6               Wait for the page.
         B     BLOCK
*
* GETFRAME: R5 = a frame (its entry in the frame table), R4 = its
* address. RQWHAT says whether what is in it has to be written first,
* RQWBLOCK where to. Returns 4 bytes behind the call; right behind it
* when there is no frame, all being busy. Changes R0-R3, R6, R8, R14,
* R15.
*
* Which one? The one that will not be needed for longest; as we cannot
* know that, one that was not needed of late. Frames lie in a circle,
* and a hand goes round. A frame whose page was referred to since the
* hand was there last gets a second chance; the first one whose page
* was not, loses it. RESET REFERENCE BIT tells by the condition code
* what reference and change bit of a block were (2 and 3: referred to),
* and resets the reference bit. Keys, which hold these bits, belong to
* blocks of 2K: a frame has two.
*
GETFRAME MVI   RQWHAT,0
         ICM   5,15,FREE         A free one?
         BZ    STEAL
         MVC   FREE+1(3),1(5)    Take it off the list.
         LR    4,5
         S     4,FRAMES
         SLL   4,10
         B     4(10)
*
STEAL    L     5,HAND
         L     0,FRAMEEND        Twice round at the most: all may be
         S     0,FRAMES          busy.
         SRL   0,1
SWEEP    LA    5,4(5)
         CL    5,FRAMEEND
         BL    *+8
         L     5,FRAMES
         CLI   0(5),INUSE
         BNE   SPARED
         LR    4,5
         S     4,FRAMES
         SLL   4,10
         LA    3,2048(4)
         LA    1,1
         RRB   0(4)
         BC    3,*+6             Referred to?
         BCTR  1,0               No: R1 = 0.
         RRB   0(3)
         BC    3,SPARED
         LTR   1,1
         BZ    VICTIM
SPARED   BCT   0,SWEEP
         ST    5,HAND
         BR    10
*
VICTIM   ST    5,HAND
         COUNT STOLEN
         SR    6,6
         ICM   6,7,1(5)          The entry of the page that is in it.
         BAL   14,INVALID
*
* Was it changed? INSERT STORAGE KEY tells. If so, it has to be written
* home before the frame gets another page; if not, its home holds the
* same, or it is still one of zeros, and nothing needs to be done.
*
         SR    1,1
         ISK   1,4
         SR    2,2
         ISK   2,3
         OR    1,2
         N     1,=A(CHANGED)
         BZ    4(10)
         COUNT PAGEOUTS
         BAL   14,FLAGS
         OI    0(8),ONDISK
         BAL   14,HOME
         ST    1,RQWBLOCK
         OI    RQWHAT,RQWRITE
         B     4(10)
*
* INVALID: from now on the page with entry R6 is not in storage.
* INVALIDATE PAGE TABLE ENTRY turns the invalid bit on, and takes from
* the TLB what it remembers of the entry. It wants the table, and a
* virtual address that leads to the entry. (One could turn the bit on
* by hand and PURGE the TLB. But that takes all that the TLB holds; and
* if this machine is a virtual one, all that its monitor has shadowed.)
* Changes R1, R2.
*
INVALID  LR    1,6
         N     1,=X'FFFFFFE0'    A table has 32 bytes, and is aligned.
         LR    2,6
         SR    2,1               Page number x 2
         SLL   2,11              to virtual address.
         IPTE  1,2
         BR    14
*
* MAP: from now on the page with entry R6 is in frame R5, at R4. SET
* STORAGE KEY gives both its blocks the key of the process, with fetch
* protection; to TEXT key 0 without, so that all processes may fetch,
* and none may store. The reference bit is off, the change bit is R2.
* An entry that becomes valid needs no purge: invalid ones are never
* remembered. Changes R1, R3.
*
CHANGED  EQU   X'02'             the change bit in a key
SECRET   EQU   X'08'             fetch protection
*
MAP      LR    1,6
         S     1,=A(PAGETABS)
         SRL   1,5
         SLL   1,4
         LTR   1,1               Table 0 is TEXT.
         BZ    *+8
         LA    1,SECRET(1)
         OR    1,2
         SSK   1,4
         LA    3,2048(4)
         SSK   1,3
         LR    3,4
         SRL   3,8
         STH   3,0(6)            Valid.
         ST    6,0(5)
         MVI   0(5),INUSE
         BR    14
*
* PUTFREE: frame R5 is free. Changes nothing.
*
PUTFREE  MVC   0(4,5),FREE
         ST    5,FREE
         BR    14
*
* CLEAR: zeros to the frame at R4. Changes R0-R3, R15.
*
CLEAR    COUNT ZEROED
         LR    2,4
         L     3,PAGESIZE
         SR    1,1               Nothing to move, and 0 as filler.
         MVCL  2,0
         BR    14
*
*----------------------------------------------------------------------
* The disk
*----------------------------------------------------------------------
*
* PAGEIO: the current process's request is about frame R5, at R4: goes
* on with ASK.
*
PAGEIO   ST    5,RQFRAME
         ST    4,RQFROM
         MVI   0(5),BUSY
         L     1,PAGESIZE
*
* ASK: the request, of R1 bytes, goes to the end of the queue. That
* the queue keeps its order matters: a page whose writing is requested
* may be wanted again before it was written; it is read after that.
* Changes R0-R3, R7, R8, R15.
*
ASK      ST    1,RQLENGTH
         XC    RQNEXT,RQNEXT
         L     1,DKLAST
         ST    13,DKLAST
         ICM   2,15,DKFIRST
         BZ    ASKFIRST
         ST    13,RQNEXT-PROCESS(1)
         BR    9
ASKFIRST ST    13,DKFIRST
*
* DKSTART: starts the first request of the queue. Changes R0-R3, R7,
* R8, R15.
*
DKSTART  ICM   8,15,DKFIRST
         BZR   9                 There is nothing to do.
         LR    7,13
         LR    13,8
         L     1,RQFROM
         STCM  1,7,DKWRITE+1
         STCM  1,7,DKREAD+1
         L     1,RQLENGTH
         STH   1,DKWRITE+6
         STH   1,DKREAD+6
         SRL   1,9
         STH   1,DKTOWR+2
         STH   1,DKTORD+2
         MVC   DKTOWR+4(4),RQWBLOCK
         MVC   DKTORD+4(4),RQRBLOCK
         MVC   DKWHAT(4),=A(X'43000000'+DKTOWR)
         MVI   DKWRITE+4,X'40'
         TM    RQWHAT,RQREAD
         BO    *+8
         MVI   DKWRITE+4,X'00'   Nothing after the write.
         TM    RQWHAT,RQWRITE
         BO    *+10
         MVC   DKWHAT(4),=A(X'08000000'+DKRDLOC)
         LR    13,7
         LA    1,DKCCW
         ST    1,CAW
         SIO   DISK
         BCR   8,9               Started.
DKBAD    LPSW  DEADDISK
*
* An I/O interruption: who?
*
IO       ENTER IOOLD
         COUNT NIO
         CLC   IOADDR,=AL2(CONSOLE)
         BE    TYPED
         CLC   IOADDR,=AL2(DISK)
         BNE   LEAVE
         ICM   13,15,DKFIRST
         BZ    LEAVE             (It only says that it is there.)
         TM    CSW+4,X'F3'       Anything but channel end and device
         BNZ   DKBAD             end?
         CLI   CSW+5,0
         BNE   DKBAD
         TM    CSW+4,X'04'       Device end will come by itself, where
         BZ    LEAVE             it does not come with channel end.
*
* The first request of the queue is done. R13 is whose it was.
*
         MVC   DKFIRST,RQNEXT
         LA    1,RECORD
         ICM   5,15,RQFRAME
         BZ    DKWAKE            A record was written or read.
         LR    1,5
         ICM   6,15,RQPAGE
         BZ    DKFREE
         L     4,RQFROM          A page has its frame.
         TM    RQWHAT,RQREAD
         BZ    DKZERO
         COUNT PAGEINS
         B     *+8
DKZERO   BAL   14,CLEAR
         SR    2,2
         BAL   14,MAP
         BAL   14,FLAGS
         NI    0(8),255-COMING
         LR    1,6
         B     DKWAKE
DKFREE   BAL   14,PUTFREE
DKWAKE   BAL   14,WAKEUP
         BAL   9,DKSTART         The next one.
         B     LEAVE
*
*----------------------------------------------------------------------
* Supervisor calls
*----------------------------------------------------------------------
*
CALL     ENTER SVCOLD
         COUNT NCALLS
         SR    15,15
         IC    15,CALLNUM
         CH    15,=AL2((CALLEND-CALLTAB)/4)
         BNL   INVALCAL
         SLL   15,2
         L     15,CALLTAB(15)
         LM    1,3,PR1           Its arguments.
         BR    15
*
CALLTAB  DC    A(XEXIT,XFORK,XWAIT,XYIELD,XSLEEP,XTIME)
         DC    A(XMORE,XOPEN,XREAD,XWRITE,XCLOSE,XSELF)
CALLEND  EQU   *
*
* They end here, with the answer in R15.
*
INVALCAL LH    15,=H'-1'         What is that?
         B     ANSWER
BADADDR  LH    15,=H'-2'         That is not your storage.
         B     ANSWER
NOROOM   LH    15,=H'-3'         No more of it.
ANSWER   ST    15,PR15
         B     RESUME
*
* --- Storage of a process ---
*
* A process gives addresses, and nothing that it gives is to be
* trusted. TOUCH: R2, R3 = a virtual address and a length of 1 to 512:
* gives R5 = where that is in real storage, R7 = how much of it is in
* the first page, R6 = where the rest is. If the process has no such
* storage: BADADDR. If a page of it is not here, it is brought, and
* then the call is tried again. As nothing interrupts us, what is here
* now will be here when TOUCH returns. Changes R0, R1, R8, R15.
*
TOUCH    BAL   14,REAL
         LR    5,1
         LA    2,0(3,2)
         BCTR  2,0               The last byte.
         BAL   14,REAL
         LR    6,1
         N     6,=X'00FFF000'
         SR    2,3               As it was.
         LA    2,1(2)
         LR    1,5
         N     1,=F'4095'
         L     7,PAGESIZE
         SR    7,1
         CR    7,3
         BNHR  9
         LR    7,3
         BR    9
*
REAL     LRA   1,0(2)
         BCR   8,14              R1 is the real address,
         BC    5,BADADDR         or nothing,
         LR    6,1               or the page-table entry.
         BAL   14,FLAGS
         TM    0(8),GRANTED
         BZ    BADADDR
         BAL   14,BACKUP
         B     PAGEIN
*
* FETCH: the R3 bytes at virtual R2 to R4. Changes R0, R1, R5-R8, R14,
* R15.
*
FETCH    BAL   9,TOUCH
         LR    0,4
         LR    1,7
         LR    14,5
         LR    15,7
         MVCL  0,14
         LR    1,3
         SR    1,7
         LR    15,1
         LR    14,6
         MVCL  0,14
         BR    10
*
* STORE: the R3 bytes at R4 to virtual R2. Changes the same. The
* process itself could not store into TEXT, whose key is not its own.
* We, with key 0, could, and must not: is it in segment 1 (MINE)?
*
STORE    BAL   14,MINE
         BAL   9,TOUCH
         LR    14,4
         LR    15,7
         LR    0,5
         LR    1,7
         MVCL  0,14
         LR    1,3
         SR    1,7
         LR    15,1
         LR    0,6
         MVCL  0,14
         BR    10
*
MINE     LA    0,0(2)
         SRL   0,16
         CH    0,=H'1'
         BNE   BADADDR
         BR    14
*
* --- Processes ---
*
* EXIT.
*
XEXIT    N     1,=X'7FFFFFFF'
*
* FINISH: the end of the current process, with code R1, and of its
* pages. All entries that are valid are made invalid by IPTE, because
* the next process in this block will have the same segment table, for
* which the TLB must not remember anything.
*
FINISH   ST    1,PCODE
         L     6,PTABLE
         LA    7,16
DROPPAGE TM    1(6),X'08'        In storage?
         BO    DROPPED
         BAL   14,FRAMEOF
         BAL   14,INVALID
         BAL   14,PUTFREE
DROPPED  LA    6,2(6)
         BCT   7,DROPPAGE
         L     8,PFLAGS
         XC    0(16,8),0(8)
         XC    PFILES(24),PFILES
*
* Its children become INIT's, and nobody's when INIT has ended.
*
         MVI   PSTATE,ENDED
         L     4,=A(PROC1)
         LR    1,4
         CLI   PSTATE-PROCESS(1),ENDED
         BNE   *+6
         SR    1,1
ORPHAN   C     13,PPARENT-PROCESS(4)
         BNE   NOTMINE
         ST    1,PPARENT-PROCESS(4)
         CLI   PSTATE-PROCESS(4),ENDED
         BNE   NOTMINE
         LTR   1,1
         BNZ   *+8
         MVI   PSTATE-PROCESS(4),NOBODY
NOTMINE  LA    4,LPROCESS(4)
         CL    4,=A(PROCEND)
         BL    ORPHAN
         LTR   1,1
         BZ    *+8
         BAL   14,WAKEUP         INIT may have a child that has ended.
*
* It remains, without pages, until its parent has asked for its code;
* without a parent it is gone (but INIT's block is not used again).
*
         ICM   1,15,PPARENT
         BZ    *+12
         BAL   14,WAKEUP
         B     MOURNED
         CL    13,=A(PROC1)
         BE    *+8
         MVI   PSTATE,NOBODY
MOURNED  L     1,LIVE
         BCTR  1,0
         ST    1,LIVE
         LTR   1,1
         BNZ   DISPATCH
         MVI   ENDING,1          That was the last one.
         BAL   9,TYPENEXT
         B     DISPATCH
*
* FRAMEOF: R5, R4 = the frame, and its address, that entry R6 names.
*
FRAMEOF  LH    4,0(6)
         N     4,=X'0000FFF0'
         SLL   4,8
         LR    5,4
         SRL   5,10
         A     5,FRAMES
         BR    14
*
* FORK. The copy gets a block that is free; then one page after the
* other is copied, or not, if it is one of zeros. A page of the parent
* may be missing, or a frame for the copy: then we wait, and FORK is
* done again; PCHILD and PCOPIED tell it how far we came.
*
* (Elsewhere parent and copy share a page until one of them stores into
* it. Here that would take the key of its frame, and a protection
* exception, which does not tell the address.)
*
XFORK    ICM   4,15,PCHILD
         BNZ   COPIES
         L     4,=A(PROC1)
FINDPROC CLI   PSTATE-PROCESS(4),NOBODY
         BE    CONCEIVE
         LA    4,LPROCESS(4)
         CL    4,=A(PROCEND)
         BL    FINDPROC
         B     NOROOM
CONCEIVE MVI   PSTATE-PROCESS(4),EMBRYO
         ST    4,PCHILD
         XC    PCOPIED,PCOPIED
         L     1,PFLAGS          It has the same pages, but none of
         L     2,PFLAGS-PROCESS(4)  them on disk.
         MVC   0(16,2),0(1)
         NC    0(16,2),=16AL1(GRANTED)
*
COPIES   L     3,PCOPIED
         C     3,PBREAK
         BNL   BIRTH
         LR    6,3               The entry of page R3.
         AR    6,6
         A     6,PTABLE
         TM    1(6),X'08'
         BZ    COPYPAGE
         BAL   14,FLAGS
         TM    0(8),ONDISK
         BZ    COPIED            Zeros.
         BAL   14,BACKUP
         B     PAGEIN
*
COPYPAGE BAL   14,FRAMEOF        R5, R4: where it is. It must not be
         MVI   0(5),FIXED        taken from us just now.
         STM   4,5,SAVE
         BAL   10,GETFRAME
         B     NOFRAME
         L     1,SAVE+4
         MVI   0(1),INUSE
         CLI   RQWHAT,0
         BNE   FORKOUT
         L     14,SAVE
         L     15,PAGESIZE
         LR    0,4
         LR    1,15
         MVCL  0,14
         L     1,PCHILD
         L     6,PCOPIED
         AR    6,6
         A     6,PTABLE-PROCESS(1)
         LA    2,CHANGED         It is nowhere else.
         BAL   14,MAP
         L     3,PCOPIED
COPIED   LA    3,1(3)
         ST    3,PCOPIED
         B     COPIES
*
NOFRAME  L     1,SAVE+4
         MVI   0(1),INUSE
         BAL   14,BACKUP
         B     DISPATCH
*
* A frame, but what it holds has to be written first.
*
FORKOUT  XC    RQPAGE,RQPAGE     No page gets it: it will be free.
         BAL   9,PAGEIO
         L     1,RQFRAME
         B     RETRY
*
* All pages are copied; the rest is quick.
*
BIRTH    COUNT NFORKS
         L     4,PCHILD
         XC    PCHILD,PCHILD
         MVC   PREGS-PROCESS(64,4),PREGS
         XC    PR15-PROCESS(4,4),PR15-PROCESS(4)
         MVC   PPSW-PROCESS+2(6,4),PPSW+2   All but DAT, masks, key.
         MVC   PBREAK-PROCESS(4,4),PBREAK
         MVC   PFILES-PROCESS(24,4),PFILES
         ST    13,PPARENT-PROCESS(4)
         L     15,LASTPID
         LA    15,1(15)
         ST    15,LASTPID
         ST    15,PID-PROCESS(4)
         XC    PCHILD-PROCESS(4,4),PCHILD-PROCESS(4)
         MVI   PSTATE-PROCESS(4),READY
         L     1,LIVE
         LA    1,1(1)
         ST    1,LIVE
         B     ANSWER
*
* WAIT.
*
XWAIT    SR    5,5               Is there such a child?
         L     4,=A(PROC1)
CHILD    CLI   PSTATE-PROCESS(4),NOBODY
         BE    NOCHILD
         C     13,PPARENT-PROCESS(4)
         BNE   NOCHILD
         LTR   1,1
         BZ    ANYCHILD
         C     1,PID-PROCESS(4)
         BNE   NOCHILD
ANYCHILD LA    5,1
         CLI   PSTATE-PROCESS(4),ENDED
         BNE   NOCHILD
         MVI   PSTATE-PROCESS(4),NOBODY
         XC    PPARENT-PROCESS(4,4),PPARENT-PROCESS(4)
         MVC   PR1(4),PCODE-PROCESS(4)
         L     15,PID-PROCESS(4)
         B     ANSWER
NOCHILD  LA    4,LPROCESS(4)
         CL    4,=A(PROCEND)
         BL    CHILD
         LTR   5,5
         BZ    INVALCAL
         LR    1,13              A child that ends wakes its parent.
         B     RETRY
*
* YIELD, SELF.
*
XYIELD   XC    PR15(4),PR15
         B     DISPATCH
XSELF    L     15,PID
         B     ANSWER
*
* MORE.
*
XMORE    LTR   1,1
         BNP   INVALCAL
         CH    1,=H'16'
         BH    NOROOM
         L     2,PBREAK
         LA    3,0(2,1)
         CH    3,=H'16'          A segment has 16 pages.
         BH    NOROOM
         ST    3,PBREAK
         L     8,PFLAGS
         AR    8,2
GRANT    MVI   0(8),GRANTED
         LA    8,1(8)
         BCT   1,GRANT
         LA    15,16(2)          Page 16 is 010000.
         SLL   15,12
         B     ANSWER
*
* --- Files ---
*
* OPEN.
*
XOPEN    LR    2,1
         LA    3,8
         LA    4,NAME
         BAL   10,FETCH
         LA    4,DIR
FINDNAME CLC   NAME,0(4)
         BE    FOUND
         LA    4,LDIR(4)
         CL    4,=A(DIREND)
         BL    FINDNAME
         B     INVALCAL
FOUND    LA    15,1
         LA    8,PFILES
FINDFD   ICM   0,15,0(8)
         BZ    OPENED
         LA    8,8(8)
         LA    15,1(15)
         CH    15,=H'3'
         BNH   FINDFD
         B     NOROOM
OPENED   ST    4,0(8)
         XC    4(4,8),4(8)       At its beginning.
         B     ANSWER
*
* CLOSE.
*
XCLOSE   BAL   14,FILEOF
         XC    0(8,8),0(8)
         SR    15,15
         B     ANSWER
*
* FILEOF: R8 = file R1 of the process, R4 = its directory entry.
*
FILEOF   LTR   1,1
         BNP   INVALCAL
         CH    1,=H'3'
         BH    INVALCAL
         LR    8,1
         SLL   8,3
         LA    8,PFILES-8(8)
         ICM   4,15,0(8)
         BZ    INVALCAL
         BR    14
*
* READ and WRITE of a file move its next record, of 512 bytes or less.
* It goes through RECORD, of which there is one. A process owns RECORD
* from when it asks the disk, and waits, until its call, done again,
* finds that it owns RECORD, and so that the disk is done.
*
XREAD    LTR   1,1
         BZ    CONSREAD
         BAL   14,FILEOF
         BAL   14,RECORDOK
         C     13,OWNER
         BE    READDONE
         L     1,4(8)
         CH    1,14(4)           At the end of the file?
         BL    READREC
         SR    15,15
         B     ANSWER
READREC  LA    10,RQREAD
         B     RECORDIO
READDONE LA    4,RECORD
         BAL   10,STORE
         BAL   14,FILEOF2
         B     RECDONE
*
XWRITE   LTR   1,1
         BZ    CONSWRT
         BAL   14,FILEOF
         BAL   14,RECORDOK
         C     13,OWNER
         BE    WRITDONE
         L     1,4(8)
         CH    1,12(4)           Is there room?
         BNL   NOROOM
         LA    10,RQWRITE
RECORDIO ICM   0,15,OWNER        Does somebody else own RECORD?
         BZ    OURS
         LA    1,RECORD
         B     RETRY
OURS     STC   10,RQWHAT
         ST    4,SAVE
         CLI   RQWHAT,RQREAD
         BNE   OURDATA
         BAL   14,MINE
         BAL   9,TOUCH           (May it have it there?)
         B     OURBLOCK
OURDATA  XC    RECORD(256),RECORD
         XC    RECORD+256(256),RECORD+256
         LA    4,RECORD
         BAL   10,FETCH
OURBLOCK L     4,SAVE
         L     1,PR1
         BAL   14,FILEOF
         ST    13,OWNER
         L     1,8(4)            First block of the file
         A     1,4(8)            and position.
         ST    1,RQWBLOCK
         ST    1,RQRBLOCK
         LA    1,RECORD
         ST    1,RQFROM
         XC    RQFRAME,RQFRAME
         LA    1,512
         BAL   9,ASK
         LA    1,RECORD
         B     RETRY
*
WRITDONE L     1,4(8)            One more record, perhaps.
         LA    1,1(1)
         CH    1,14(4)
         BNH   RECDONE
         STH   1,14(4)
RECDONE  L     1,4(8)
         LA    1,1(1)
         ST    1,4(8)
         XC    OWNER,OWNER
         LA    1,RECORD
         BAL   14,WAKEUP
         LR    15,3
         B     ANSWER
*
RECORDOK LTR   3,3
         BNP   INVALCAL
         CH    3,=H'512'
         BH    INVALCAL
         BR    14
FILEOF2  L     1,PR1
         B     FILEOF
*
*----------------------------------------------------------------------
* The typewriter
*----------------------------------------------------------------------
*
* WRITE to it: the line is put into a queue, and will be written. When
* there is no room in the queue, the process waits until there is.
*
CONSWRT  LTR   3,3
         BNP   INVALCAL
         CH    3,=AL2(LINESIZE)
         BH    INVALCAL
         LH    1,NLINES
         CH    1,=H'4'
         BNE   PUTLINE
         LA    1,LINES
         B     RETRY
PUTLINE  LH    4,LINETAIL
         SLL   4,7
         LA    4,LINES+TEXTAT(4)
         BAL   10,FETCH
         SH    4,=AL2(TEXTAT)
         STH   3,0(4)
         LH    1,LINETAIL
         LA    1,1(1)
         N     1,=F'3'
         STH   1,LINETAIL
         LH    1,NLINES
         LA    1,1(1)
         STH   1,NLINES
         BAL   9,TYPENEXT
         LR    15,3
         B     ANSWER
*
* READ from it: a line, when one was typed. Of length 0: has the
* operator called, by the request key, since this was asked last? 1 if
* so. (All may ask, and not wait: nobody may be there to type.)
*
CONSREAD LTR   3,3
         BM    INVALCAL
         BZ    CALLED
         CLI   READING,ARRIVED
         BE    GETLINE
         CLI   READING,0
         BNE   NOLINE
         MVI   READING,WANTED
         BAL   9,TYPENEXT
NOLINE   LA    1,INLINE
         B     RETRY
GETLINE  LH    1,INLENGTH
         CR    3,1
         BNH   *+6
         LR    3,1               What was typed, or what fits.
         LTR   3,3
         BZ    GOTLINE
         LA    4,INLINE
         BAL   10,STORE
GOTLINE  MVI   READING,0
         LR    15,3
         B     ANSWER
CALLED   SR    15,15
         IC    15,ATTN
         MVI   ATTN,0
         B     ANSWER
*
* TYPENEXT: gives the typewriter something to do, if it does nothing
* and there is something: lines first, then reading. Changes R0-R2,
* R15.
*
TYPENEXT CLI   WRITING,0
         BNER  9
         CLI   READING,UNDERWAY
         BER   9
         LH    1,NLINES
         LTR   1,1
         BNZ   TYPELINE
         CLI   READING,WANTED
         BE    TYPEREAD
         CLI   ENDING,0
         BER   9
         CLI   ENDING,2
         BE    THEEND
         LA    2,LASTLINE        All have ended: the last line.
         LA    1,L'LASTLINE
         B     TYPEIT
TYPELINE LH    2,LINEHEAD
         SLL   2,7
         LA    2,LINES(2)
         LH    1,0(2)
         LA    2,TEXTAT(2)
TYPEIT   MVI   TYPE,X'09'
         B     TYPEGO
TYPEREAD LA    2,INLINE
         LA    1,LINESIZE
         MVI   TYPE,X'0A'
TYPEGO   STCM  2,7,TYPE+1
         STH   1,TYPE+6
         LA    1,TYPE
         ST    1,CAW
         SIO   CONSOLE
         BC    8,TYPING
         BC    1,TYPEBAD
         BCR   2,9               Busy: it will interrupt soon.
         TM    CSW+4,X'80'       The operator called just now:
         BZ    TYPEBAD
         MVI   ATTN,1
         B     TYPENEXT          again.
TYPING   CLI   TYPE,X'0A'
         BE    *+10
         MVI   WRITING,1
         BR    9
         MVI   READING,UNDERWAY
         BR    9
TYPEBAD  LPSW  DEADCONS
THEEND   LPSW  DONE
*
* An interruption from it.
*
TYPED    TM    CSW+4,X'80'       Attention: the request key.
         BZ    *+8
         MVI   ATTN,1
         TM    CSW+4,X'02'       Unit check?
         BO    TYPEBAD
         TM    CSW+5,X'3F'       Channel checks?
         BNZ   TYPEBAD
         TM    CSW+4,X'04'       Device end?
         BZ    TYPEMORE
         CLI   WRITING,0
         BE    TYPEDIN
         MVI   WRITING,0
         CLI   ENDING,0
         BE    TYPEDOUT
         LH    1,NLINES
         LTR   1,1
         BNZ   TYPEDOUT
         MVI   ENDING,2          That was the last line.
         B     TYPEMORE
TYPEDOUT LH    1,LINEHEAD
         LA    1,1(1)
         N     1,=F'3'
         STH   1,LINEHEAD
         LH    1,NLINES
         BCTR  1,0
         STH   1,NLINES
         LA    1,LINES
         BAL   14,WAKEUP
         B     TYPEMORE
TYPEDIN  CLI   READING,UNDERWAY
         BNE   TYPEMORE
         LA    1,LINESIZE
         SH    1,CSW+6           What was not used of the count.
         STH   1,INLENGTH
         MVI   READING,ARRIVED
         LA    1,INLINE
         BAL   14,WAKEUP
TYPEMORE BAL   9,TYPENEXT
         B     LEAVE
*
*----------------------------------------------------------------------
* Clocks
*----------------------------------------------------------------------
*
* A clock is a doubleword in units of 1/4096 microsecond: 4096000 are
* a millisecond. STORE CLOCK is open to everybody.
*
* TIME.
*
XTIME    STCK  NOW
         LM    0,1,NOW
         S     0,BOOT
         SL    1,BOOT+4
         BC    3,*+6
         BCTR  0,0
         SRDL  0,12              Microseconds.
         D     0,=F'1000'
         LR    15,1
         B     ANSWER
*
* SLEEP: waits for channel NOW, and is not done again.
*
XSLEEP   LA    1,0(1)
         M     0,=F'4096000'
         STCK  NOW
         AL    1,NOW+4
         BC    12,*+8            (a carry)
         A     0,=F'1'
         A     0,NOW
         STM   0,1,PWAKE
         XC    PR15(4),PR15
         LA    1,NOW
         ST    1,PCHAN
         MVI   PSTATE,WAITING
         BAL   9,SETALARM
         B     DISPATCH
*
* SETALARM: the clock comparator is to interrupt when the first of the
* sleepers has to wake up. SET CLOCK COMPARATOR. Changes R1, R2.
*
SETALARM MVC   ALARM,FOREVER
         L     2,=A(PROC1)
         LA    1,NOW
SLEEPING CLI   PSTATE-PROCESS(2),WAITING
         BNE   NOSLEEP
         CL    1,PCHAN-PROCESS(2)
         BNE   NOSLEEP
         CLC   ALARM,PWAKE-PROCESS(2)
         BNH   NOSLEEP
         MVC   ALARM,PWAKE-PROCESS(2)
NOSLEEP  LA    2,LPROCESS(2)
         CL    2,=A(PROCEND)
         BL    SLEEPING
         SCKC  ALARM
         BR    9
*
* External interruptions: a slice has ended (code 1005), or the alarm
* goes off (1004). Both conditions last: the CPU timer interrupts for
* as long as it is negative, the comparator for as long as the clock is
* past it. So both have to be set anew: by DISPATCH, by SETALARM.
*
EXTERNAL ENTER EXTOLD
         COUNT NEXTERN
         CLC   EXTCODE,=X'1005'
         BE    DISPATCH
         CLC   EXTCODE,=X'1004'
         BNE   LEAVE
         STCK  NOW
         L     2,=A(PROC1)
         LA    1,NOW
RISE     CLI   PSTATE-PROCESS(2),WAITING
         BNE   RISEN
         CL    1,PCHAN-PROCESS(2)
         BNE   RISEN
         CLC   PWAKE-PROCESS(8,2),NOW
         BH    RISEN
         MVI   PSTATE-PROCESS(2),READY
RISEN    LA    2,LPROCESS(2)
         CL    2,=A(PROCEND)
         BL    RISE
         BAL   9,SETALARM
         B     LEAVE
         LTORG
*
*----------------------------------------------------------------------
* Tables
*----------------------------------------------------------------------
*
         DS    0D
PROC0    DC    (LPROCESS)X'00'   Idle
PROC1    DC    (6*LPROCESS)X'00'
PROCEND  EQU   *
         ORG   NUCLEUS+((*-NUCLEUS+63)/64)*64
SEGTABS  DS    7CL64
PAGETABS DC    112X'0008'        All invalid
PAGEFLAG DC    112X'00'
NUCEND   EQU   NUCLEUS+((*-NUCLEUS+4095)/4096)*4096
         DROP
*
*----------------------------------------------------------------------
* The programs. From here on addresses are virtual ones.
*
* All processes execute this TEXT, with translation on, in problem
* state, each with a key of its own. It has three pages: programs that
* nobody executes any longer need not be in storage. Registers 10, 11
* and 12 are its bases, 13 that of the process's own storage; a copy
* made by FORK finds them set.
*----------------------------------------------------------------------
*
DATA     DSECT                   The page at 010000, zeros at first.
PIDS     DS    8F
LINE     DS    0CL60
LINENAME DS    CL8
         DS    C
LINEWHAT DS    CL51
WORK     DS    F,X
HEX      DS    CL8,X
LINK     DS    A
BUFFER   DS    CL512
NUCLEUS  CSECT
*
         MACRO
&LABEL   SAY   &TEXT
&LABEL   LA    2,T&SYSNDX
         LA    3,L'T&SYSNDX
         BAL   14,PUT
         B     S&SYSNDX
T&SYSNDX DC    C&TEXT
S&SYSNDX DS    0H
         MEND
*
         ORG   NUCLEUS+X'4000'
TEXT     EQU   *
INIT     BALR  12,0
         USING *,12
         LM    10,13,HISBASES
         DROP  12
         USING TEXT,12
         USING TEXT+4096,11
         USING TEXT+8192,10
         USING DATA,13
         SAY   'INIT: THE NUCLEUS IS UP'
*
* The jobs come in batches: those of a batch run at the same time, and
* are asked for in the order in which they stand here. So the lines
* come out the same, however fast the machine is and whoever is done
* first.
*
         LA    8,JOBS
BATCH    LR    9,8               R9: the first of the batch.
         LA    7,PIDS
JOB      ICM   1,15,8(8)         The end of the batch?
         BZ    COLLECT
         BAL   14,SPAWN
         ST    15,0(7)
         LA    7,4(7)
         LA    8,12(8)
         B     JOB
COLLECT  LA    7,PIDS
COLLECT1 CR    9,8
         BE    COLLECTD
         L     1,0(7)
         SVC   WAIT
         BAL   14,REPORT
         LA    7,4(7)
         LA    9,12(9)
         B     COLLECT1
COLLECTD LA    8,12(8)
         CLI   0(8),X'FF'
         BNE   BATCH
*
* Has the operator called? Then talk, until an empty line.
*
         SR    1,1
         SR    3,3
         SVC   READ
         LTR   15,15
         BZ    GOODBYE
         SAY   'INIT: YOU CALLED? (AN EMPTY LINE ENDS THIS)'
TALK     SR    1,1
         LA    2,BUFFER+10
         LA    3,100
         SVC   READ
         LTR   3,15
         BNP   GOODBYE
         MVC   BUFFER(10),=C'YOU SAID: '
         LA    2,BUFFER
         LA    3,10(3)
         BAL   14,PUT
         B     TALK
GOODBYE  SAY   'INIT: GOODBYE'
         SR    1,1
         SVC   EXIT
*
EXIT     EQU   0
FORK     EQU   1
WAIT     EQU   2
YIELD    EQU   3
SLEEP    EQU   4
TIME     EQU   5
MORE     EQU   6
OPEN     EQU   7
READ     EQU   8
WRITE    EQU   9
CLOSE    EQU   10
SELF     EQU   11
*
HISBASES DC    A(TEXT+8192,TEXT+4096,TEXT,X'10000')
*
* SPAWN: a child that begins at R1; R15 = its number. When there is no
* room for it now, there will be.
*
SPAWN    SVC   FORK
         LTR   15,15
         BZR   1                 We are the child.
         BPR   14                We are the parent.
         SVC   YIELD
         B     SPAWN
*
* PUT: writes the R3 characters at R2.
*
PUT      SR    1,1
         SVC   WRITE
         BR    14
*
* REPORT: the job in row R9 has ended with code R1.
*
REPORT   ST    14,LINK
         ST    1,WORK
         UNPK  HEX(9),WORK(5)
         TR    HEX,DIGITS-240
         MVI   LINE,C' '
         MVC   LINE+1(L'LINE-1),LINE
         MVC   LINENAME,0(9)
         LTR   1,1
         BM    KILLED
         MVC   LINEWHAT(11),=C'ENDED WITH '
         MVC   LINEWHAT+11(8),HEX
         LA    3,9+19
         B     REPORTED
KILLED   MVC   LINEWHAT(32),=C'STOPPED BY PROGRAM INTERRUPTION '
         MVC   LINEWHAT+32(2),HEX+6
         LA    3,9+34
REPORTED LA    2,LINE
         L     14,LINK
         B     PUT
*
         DS    0F
JOBS     DC    CL8'SORT',A(SORT)
         DC    CL8'SIEVE',A(SIEVE)
         DC    CL8'MATRIX',A(MATRIX)
         DC    CL8'SLEEPER',A(SLEEPER)
         DC    CL8' ',A(0)
         DC    CL8'TREE',A(TREE)
         DC    CL8' ',A(0)
         DC    CL8'FILER',A(FILER)
         DC    CL8' ',A(0)
         DC    CL8'BEGGAR',A(BEGGAR)
         DC    CL8'NULL',A(NULL)
         DC    CL8'STRAY',A(STRAY)
         DC    CL8'VANDAL',A(VANDAL)
         DC    CL8' ',A(0)
         DC    CL8'USURPER',A(USURPER)
         DC    CL8'GARBLED',A(GARBLED)
         DC    CL8' ',A(0)
         DC    X'FF'
         DS    0F
DIGITS   DC    C'0123456789ABCDEF'
*
* Random numbers: R1 = the next one, from R1.
*
RANDOM   M     0,=F'1664525'
         AL    1,=F'1013904223'
         BR    14
*
* HASH: R9 = a check sum of the words from R2 to R7.
*
HASH     SR    9,9
HASHNEXT LR    1,9
         M     0,=F'31'
         LR    9,1
         AL    9,0(2)
         LA    2,4(2)
         CR    2,7
         BL    HASHNEXT
         N     9,=X'7FFFFFFF'
         BR    14
         LTORG
*
         ORG   TEXT+4096
*
* SORT: 12288 random words, in ascending order. Shell's method:
* elements far apart first, then nearer ones. Every pass goes through
* the whole array, 12 pages: more than this process may get.
*
*   R2 array   R3 gap (bytes)   R4 next element   R5 its place   R6 it
*   R7 end     R8 first element with one before   R9 gaps
*
SORTSIZE EQU   12288*4
SORT     LA    1,12
         SVC   MORE
         LTR   2,15
         BM    GIVEUP
         LR    7,2
         A     7,=A(SORTSIZE)
         LR    4,2
         LA    1,1
SORTFILL BAL   14,RANDOM
         ST    1,0(4)
         LA    4,4(4)
         CR    4,7
         BL    SORTFILL
         LA    9,GAPS
SORTPASS L     3,0(9)
         LR    4,2
         AR    4,3
         LR    8,4
INSERT   L     6,0(4)
         LR    5,4
SHIFT    CR    5,8
         BL    PLACE
         LR    1,5
         SR    1,3
         L     0,0(1)
         CR    0,6
         BNH   PLACE
         ST    0,0(5)
         LR    5,1
         B     SHIFT
PLACE    ST    6,0(5)
         LA    4,4(4)
         CR    4,7
         BL    INSERT
         LA    9,4(9)
         CLI   3(9),0
         BNE   SORTPASS
         LR    4,2               Is it in order?
ORDERED  LA    5,4(4)
         CR    5,7
         BNL   SORTED
         L     0,0(4)
         C     0,0(5)
         BH    GIVEUP
         LR    4,5
         B     ORDERED
SORTED   BAL   14,HASH
         LR    1,9
         SVC   EXIT
GAPS     DC    A(9841*4,3280*4,1093*4,364*4,121*4,40*4,13*4,4*4,4,0)
*
GIVEUP   LA    1,1
         SVC   EXIT
*
* SIEVE: how many primes below 49152?
*
*   R2 sieve   R4 number   R5 multiple   R6 step   R7 last   R9 primes
*
SIEVEMAX EQU   49152
SIEVE    LA    1,12
         SVC   MORE
         LTR   2,15
         BM    GIVEUP
         L     7,=A(SIEVEMAX-1)
         AR    7,2
         SR    9,9
         LA    6,2               R6 also is the number.
PRIME    LA    4,0(6,2)
         CLI   0(4),0
         BNE   COMPOSED
         LA    9,1(9)
         LR    5,6
         MR    4,6               Its square
         CL    5,=A(SIEVEMAX)    (32 bits, without a sign)
         BNL   COMPOSED
         AR    5,2
STRIKE   MVI   0(5),X'FF'
         BXLE  5,6,STRIKE
COMPOSED LA    6,1(6)
         C     6,=A(SIEVEMAX)
         BL    PRIME
         LR    1,9
         SVC   EXIT
*
* MATRIX: the product of two matrices of 64 x 64 words.
*
MATRIX   LA    1,12
         SVC   MORE
         LTR   2,15
         BM    GIVEUP
         L     7,=F'32768'
         AR    7,2               R7: the product, behind the two.
         LR    4,2
         LA    1,1
FILL     BAL   14,RANDOM
         LR    0,1
         SRL   0,24
         ST    0,0(4)
         LA    4,4(4)
         CR    4,7
         BL    FILL
         LR    5,2               R5: row of the first.
ROW      L     6,=F'16384'
         AR    6,2               R6: column of the second.
         LA    8,64
COLUMN   LA    9,64
         SR    3,3
         LR    14,5
         LR    15,6
INNER    L     1,0(14)
         M     0,0(15)
         AR    3,1
         LA    14,4(14)
         LA    15,256(15)
         BCT   9,INNER
         ST    3,0(7)
         LA    7,4(7)
         LA    6,4(6)
         BCT   8,COLUMN
         LA    5,256(5)
         L     0,=F'16384'
         AR    0,2
         CR    5,0
         BL    ROW
         A     2,=F'32768'
         BAL   14,HASH
         LR    1,9
         SVC   EXIT
*
* SLEEPER: ten naps. Each may be too long, but not too short.
*
SLEEPER  LA    6,10
         SR    9,9
NAP      SVC   TIME
         LR    4,15
         LA    1,20
         SVC   SLEEP
         SVC   TIME
         SR    15,4
         CH    15,=H'20'
         BL    GIVEUP
         LA    9,1(9)
         BCT   6,NAP
         LR    1,9
         SVC   EXIT
         LTORG
*
         ORG   TEXT+8192
*
* TREE: a family. Two children at a time, each of which has two, one
* after the other. A leaf ends with its number, the others with the sum
* of what their children ended with. A leaf finds its number in storage,
* a page behind one that nobody ever touches. It has a copy of that: it
* can wipe its number out, and its parent has it still.
*
TREE     LA    1,2
         SVC   MORE
         LTR   4,15
         BM    GIVEUP
         A     4,=F'4096'
         LA    1,BRANCH
         LA    5,1
         BAL   14,SPAWN
         LR    6,15
         LA    5,2
         BAL   14,SPAWN
         LR    7,15
         LR    1,7
         SVC   WAIT
         LR    9,1
         LR    1,6
         SVC   WAIT
         AR    9,1
         SAY   'TREE: BOTH CHILDREN HAVE ENDED'
         SR    1,1
         SVC   WAIT              There is no other.
         LTR   15,15
         BNM   GIVEUP
         LR    1,9
         SVC   EXIT
BRANCH   SLL   5,1
         SR    9,9
         LA    6,2
TWIG     ST    5,0(4)
         LA    1,LEAF
         BAL   14,SPAWN
         LR    1,15
         SVC   WAIT
         AR    9,1
         C     5,0(4)
         BNE   GIVEUP
         LA    5,1(5)
         BCT   6,TWIG
         LR    1,9
         SVC   EXIT
LEAF     L     1,0(4)
         XC    0(4,4),0(4)
         SVC   EXIT
*
* FILER: writes a file, and keeps a check sum; its child reads the file
* and ends with the check sum of what it read. Is it the same?
*
FILER    LA    1,LEDGER
         SVC   OPEN
         LTR   6,15
         BM    GIVEUP
         LA    1,1
         LA    5,16              16 records
         SR    8,8
RECORDS  LA    2,BUFFER
         LA    7,512(2)
RECFILL  BAL   14,RANDOM         of 128 random words.
         ST    1,0(2)
         LA    2,4(2)
         CR    2,7
         BL    RECFILL
         BAL   14,SUM
         LR    1,6
         LA    2,BUFFER
         LA    3,512
         SVC   WRITE
         CH    15,=H'512'
         BNE   GIVEUP
         L     1,BUFFER+508      The last one, to go on from.
         BCT   5,RECORDS
         LR    1,6
         SVC   CLOSE
         SAY   'FILER: LEDGER IS WRITTEN'
         LA    1,READER
         BAL   14,SPAWN
         LR    1,15
         SVC   WAIT
         CR    1,8
         BNE   GIVEUP
         SVC   EXIT
READER   LA    1,LEDGER
         SVC   OPEN
         LTR   6,15
         BM    GIVEUP
         SR    8,8
READNEXT LR    1,6
         LA    2,BUFFER
         LA    3,512
         SVC   READ
         LTR   15,15
         BZ    ATEND
         BM    GIVEUP
         LA    7,BUFFER+512
         BAL   14,SUM
         B     READNEXT
ATEND    SAY   'READER: LEDGER IS READ'
         LR    1,8
         SVC   EXIT
*
* SUM: adds the words of BUFFER to the check sum in R8.
*
SUM      ST    14,LINK
         LA    2,BUFFER
         BAL   14,HASH
         LR    1,8
         M     0,=F'31'
         LR    8,1
         AR    8,9
         N     8,=X'7FFFFFFF'
         L     14,LINK
         BR    14
LEDGER   DC    CL8'LEDGER'
*
* BEGGAR asks for what it must not get, and counts how often it is told
* so.
*
         MACRO
&LABEL   REFUSED &CALL
&LABEL   SVC   &CALL
         SRL   15,31             1, if negative.
         AR    9,15
         MEND
BEGGAR   SR    9,9
         SR    1,1               Write, to the typewriter,
         LA    3,20
         SR    2,2               from where nothing is,
         REFUSED WRITE
         L     2,=X'00FFFFF0'    from beyond it,
         REFUSED WRITE
         LA    2,DATA
         LA    2,4090(2)         from where only a part is,
         REFUSED WRITE
         LA    2,BUFFER
         LA    3,121             too much,
         REFUSED WRITE
         L     3,=F'-1'          less than nothing.
         REFUSED WRITE
         LA    3,20
         LA    1,7               A file that is not open, or none.
         REFUSED WRITE
         LA    1,1
         REFUSED READ
         LA    1,TEXT            There is no such name.
         REFUSED OPEN
         LA    1,LEDGER
         SVC   OPEN
         LR    1,15
         LA    2,TEXT            Read into TEXT.
         REFUSED READ
         LA    1,100             A hundred pages.
         REFUSED MORE
         L     1,=F'99999'       Somebody else's child.
         REFUSED WAIT
         REFUSED 12              A call that does not exist,
         REFUSED 255             nor this.
         LR    1,9
         SVC   EXIT
*
* And these do not ask.
*
NULL     L     1,4               Address 4: there is no page.
         B     GIVEUP
STRAY    L     1,=X'000F0000'    There is no segment.
         L     1,0(1)
         B     GIVEUP
VANDAL   MVI   TEXT,0            Not with this key.
         B     GIVEUP
USURPER  LPSW  CROWN             Supervisor state, just like that.
         DS    0D
CROWN    DC    X'0008000000000000'
GARBLED  DC    H'0'              No instruction.
         B     GIVEUP
         LTORG
         ORG   NUCLEUS+((*-NUCLEUS+4095)/4096)*4096
TEXTEND  EQU   *
         END   START
