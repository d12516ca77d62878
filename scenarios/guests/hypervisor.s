* hypervisor.s - a virtual machine monitor: machines made by a program.
*
* This program makes virtual machines, GUESTS. Each looks to the
* program in it like a System/370 of its own: hello.s, walk.s or
* nucleus.s run in it without a change, several at the same time, and
* this program itself, with guests of its own, does as well.
*
* It wants to be read from here to its end, after nucleus.s, which
* explains what a machine has: supervisor and problem state, PSW, DAT,
* interruptions. docs/hypervisor.md follows one trap through it, shows
* parts of it beside their sisters in C, vmm/reference/, and tells what
* a trap costs. Each section begins with what it must never forget.
*
*----------------------------------------------------------------------
* The idea, which is Popek's and Goldberg's (1974):
*
* 1. A guest executes its own instructions, directly, at full speed.
*    But whatever its PSW says, the real PSW has PROBLEM STATE on, all
*    interruptions enabled, and DAT on, under tables of ours.
*
* 2. So each instruction that would touch the machine, and not merely
*    registers and storage, TRAPS: it is privileged. We do to the VM
*    BLOCK, the guest's machine as data, what the instruction would have
*    done to a machine, and let the guest go on. It cannot tell.
*
* 3. Everything else that interrupts is either our affair, and the guest
*    never learns of it; or it is the guest's. Then we REFLECT it: do
*    with the guest's low storage and PSW what a CPU does.
*
* A monitor has three parts: the DISPATCHER, at which every trap
* arrives; the ALLOCATOR, which knows what belongs to whom; and the
* INTERPRETER, one routine for each privileged instruction.
*
*----------------------------------------------------------------------
* Storage of the machine that we run on (perhaps it is a virtual one):
*
*   000000  +--------------------------------------------+
*           | low storage: PSWs, CSW, CAW, codes         |
*   000200  | parameters, the map f, counters, variables |
*   001000  +--------------------------------------------+
*           | the code                                   |
*           | VM blocks, devices of the guests           |
*   008000  +--------------------------------------------+
*           | storage of guest 0: its program is here    |
*           | already when we are started (it lies       |
*           | behind ours in the image that was loaded)  |
*           +--------------------------------------------+
*           | storage of guest 1, ...                    |
*           +--------------------------------------------+
*           | shadow tables and channel programs of      |
*           | guest 0, of guest 1, ...                   |
*           +--------------------------------------------+
*                        where storage ends; START finds out
*
* Addresses. What a guest's program uses is guest virtual; its tables
* make it guest REAL; prefixing makes that guest ABSOLUTE (page 0 and
* the prefix page change places); and adding the origin of the guest's
* storage makes it HOST real, an address that we can use, as our own
* DAT is off.
*
*----------------------------------------------------------------------
* Nothing interrupts us: our PSWs have all masks off. We are entered by
* an interruption, and leave by DISPATCH, which gives control to a guest
* or waits. So there are no locks, and subroutines may keep their return
* address in a fixed place.
*
* Labels that begin with HV are for others: HVTRAP, HVSIM, HVREFL,
* HVFILL, HVPURGE, HVDISP, HVRUN, HVIDLE and HVSTOP are the places where
* decisions are taken, so that one can watch them; HVMAP says where the
* virtual machines are (scenarios/hypervisor.lua tells the story).
*
* Registers:
*
*   0-8, 15  for work: what subroutines take, give and change stands
*            above them
*   9        a space (shadow tables), a device, or low storage of a guest
*   10-12    bases of the code: CODE+8192, CODE+4096, CODE
*   13       a VM block
*   14       link
*
* Subroutines give a program interruption code in 15; 0: all is well.
*
*----------------------------------------------------------------------
*
*        ENTER: begins the handler of an interruption. The registers of
*        the interrupted guest go to its VM block, and of the PSW those
*        three things that its program can change by itself. (Nobody,
*        who waits, has a VM block, too.)
*
         MACRO
&LABEL   ENTER &OLD
&LABEL   STM   0,15,SAVE
         LM    10,13,BASES         The bases, and the current guest.
         MVC   VGPR(64),SAVE
         MVC   VPSW+2(1),&OLD+2    Condition code, program mask,
         MVC   VPSW+5(3),&OLD+5    instruction address
         MEND
*
*        COUNT: adds 1 to a counter. Changes R0.
*
         MACRO
&LABEL   COUNT &WHAT
&LABEL   LA    0,1
         A     0,&WHAT
         ST    0,&WHAT
         MEND
*
*        BEGIN, RETURN: of subroutines that call others.
*
         MACRO
&NAME    BEGIN
&NAME    ST    14,R&NAME
         MEND
         MACRO
&LABEL   RETURN &NAME
&LABEL   L     14,R&NAME
         BR    14
         MEND
*
*        EARLIER: registers 4 and 5 become the time at &TIME if that is
*        earlier. Times are 64 bits, without a sign.
*
         MACRO
         EARLIER &TIME
         CL    4,&TIME
         BL    E&SYSNDX
         BH    F&SYSNDX
         CL    5,&TIME+4
         BNH   E&SYSNDX
F&SYSNDX LM    4,5,&TIME
E&SYSNDX DS    0H
         MEND
*
*        ADD64, SUB64: registers 4 and 5 plus, minus the number at &N.
*        Condition code 2 or 3 after ADD64: it does not fit into 64.
*
         MACRO
         ADD64 &N
         AL    5,&N+4
         BC    12,A&SYSNDX         No carry?
         AL    4,=F'1'
A&SYSNDX AL    4,&N
         MEND
         MACRO
         SUB64 &N
         SL    5,&N+4
         BC    3,S&SYSNDX          No borrow?
         SL    4,=F'1'
S&SYSNDX SL    4,&N
         MEND
*
*        PRIV: a row of the interpreter's table.
*
         MACRO
         PRIV  &OPCODE,&ROUTINE
         ORG   OPTABLE+2*X'&OPCODE'
         DC    AL2(&ROUTINE-CODE)
         MEND
*
HV       START 0
         USING HV,0
         USING CODE,12
         USING CODE+4096,11
         USING CODE+8192,10
         USING VM,13
*
*----------------------------------------------------------------------
* Low storage of our own machine
*----------------------------------------------------------------------
*
         DC    X'00080000',A(START)     0: restart new PSW
         ORG   HV+24
EXTOLD   DS    D                  24: old PSWs
SVCOLD   DS    D                  32
PGMOLD   DS    D                  40
         DS    D                  48
IOOLD    DS    D                  56
CSW      DS    D                  64
CAW      DS    F                  72
         ORG   HV+88
         DC    X'00080000',A(EXTINT)   88: new PSWs
         DC    X'00080000',A(SVCINT)   96
PGMNEW   DC    X'00080000',A(PGMINT)  104
         DC    X'000A0000000BAD04'    112: machine check: stop
         DC    X'00080000',A(IOINT)   120
         ORG   HV+134
EXTCODE  DS    H                 134
         DS    X
SVCLEN   DS    X                 137
         DS    X
SVCNUM   DS    X                 139
         DS    X
PGMLEN   DS    X                 141
PGMCODE  DS    H                 142
PGMADDR  DS    F                 144
MONCLASS DS    H                 148
         ORG   HV+156
MONCODE  DS    F                 156
         ORG   HV+168
CHANID   DS    F                 168
         ORG   HV+186
IOADDR   DS    H                 186
*
*----------------------------------------------------------------------
* 000200: parameters, which may be changed before we are started
*----------------------------------------------------------------------
*
         ORG   HV+X'200'
HVGUESTS DC    F'1'              200: number of guests, 1 to 8
HVSPACES DC    F'8'              204: address spaces of each guest for
*                                     which we keep tables, 1 to 16
HVSLICE  DC    F'20000'          208: a time slice, microseconds
HVSTORE  DC    8F'0'             20C: bytes of storage of each guest;
*                                     0: an equal part of the rest
         DC    A(GUEST0)         22C: where guest 0's storage begins
*
* 230: devices of the guests, eight rows of 16 bytes:
*
*   0  guest, 0 to 7; X'FF': each guest; X'FE': no device
*   1  X'80': a disk that is divided among the guests
*   2  its address for the guest
*   4  its real address
*   8  of a disk: the first block that is the guest's
*   C  number of blocks; 0: all, from the first to the end. If it is
*      divided: 0 and 0 for equal parts
*
* Other devices are shared in turns: each channel program is done as a
* whole. What nobody asked for (the operator's request) the first guest
* gets.
*
HVDEVS   DC    X'FF00',X'0009,0009,0000',F'0,0'
         DC    X'FF00',X'000C,000C,0000',F'0,0'
         DC    X'FF00',X'000E,000E,0000',F'0,0'
         DC    X'FF80',X'0150,0150,0000',F'0,0'
         DC    X'FE',XL15'00'
         DC    X'FE',XL15'00'
         DC    X'FE',XL15'00'
         DC    X'FE',XL15'00'
         ORG   HVDEVS+8*16
*
* 2B0: the map f: where the parts of virtual machines are. Whoever wants
* to look at them need know nothing else. A guest's storage is one piece
* of ours: guest absolute address + origin = our real address.
*
HVMAP    DC    CL4'HVF1'         2B0
         DC    A(VMS)            2B4: the VM blocks, one for each guest
         DC    A(LVM)            2B8: length of a VM block
HVCURR   DC    A(0)              2BC: that of the running guest, or of
*                                     NOBODY, who waits
         DC    A(NOBODY)         2C0
         DC    AL2(VGPR-VM)      2C4: in a VM block: general registers,
         DC    AL2(VPSW-VM)      2C6: PSW (as an EC PSW, if it is BC),
         DC    AL2(VCR-VM)       2C8: control registers,
         DC    AL2(VPREFIX-VM)   2CA: prefix,
         DC    AL2(VORIGIN-VM)   2CC: origin of its storage,
         DC    AL2(VSIZE-VM)     2CE: size of its storage,
         DC    AL2(VSTATUS-VM)   2D0: status, see there,
         DC    AL2(VEPOCH-VM)    2D2: its TOD clock minus ours,
         DC    AL2(VCOMP-VM)     2D4: clock comparator,
         DC    AL2(VTIMER-VM)    2D6: CPU timer plus our TOD clock,
         DC    AL2(VREAL-VM)     2D8: the table of its real storage,
         DC    AL2(VSPACES-VM)   2DA: tables of its address spaces
         DC    AL2(VSIMS-VM)     2DC: counts: instructions interpreted,
         DC    AL2(VINTS-VM)     2DE: interruptions reflected, by class
*
* 2E0: counters, words
*
NTRAPS   DC    F'0'              2E0: program interruptions and SVCs
NFILL    DC    F'0'              2E4: shadow entries filled
NPURGE   DC    F'0'              2E8: times that a guest purged its TLB
NDISP    DC    F'0'              2EC: times that a guest got control
NIDLE    DC    F'0'              2F0: times that nobody could run
NSIO     DC    F'0'              2F4: channel programs started
NTAKEN   DC    F'0'              2F8: spaces taken for another one
         DC    AL2(LSPACE)       2FC: of the map, too: length of a space
         DC    AL2(SPCR-SPACE)   2FE: what CR0 and CR1 are for it
*
*----------------------------------------------------------------------
* Variables
*----------------------------------------------------------------------
*
SAVE     DS    CL64              Registers, on their way to VGPR.
RUNPSW   DS    D                 A PSW, on its way to the CPU.
BASES    DC    A(CODE+8192,CODE+4096,CODE)
CURRENT  DC    A(NOBODY)         Who runs. (Behind BASES!)
LAST     DC    A(0)              Who ran last.
LOOKS    DS    F                 How many are still to be looked at.
MEMORY   DS    F                 Where our storage ends.
*
* What our own machine has been loaded with, so that it need not be
* again. LCTL is privileged: on a virtual machine it is dear.
*
HVCR0    DS    F
HVCR1    DS    F                 (behind HVCR0)
HVCR8    DS    F
ALARM    DS    D                 The clock comparator,
FIRED    DS    X                 1: which has interrupted since.
PURGEDUE DS    X                 1: our TLB is to be purged.
CLOCKED  DS    X                 1: NOW holds the time of this trap.
         DS    0D
NOW      DS    D                 The time.
BEGAN    DS    D                 The time when we started.
SLICEEND DS    D                 When the slice of LAST ends,
SLICE    DS    D                 and how long one is.
WORK     DS    2D
*
* The trap that is being handled.
*
TRAPILC  DS    F                 Length of the instruction: 2, 4, 6
CURSPACE DS    A                 The space in which the guest ran.
*
* An interruption to be reflected.
*
RADDR    DS    F                 translation-exception address
RILC     DS    F                 length of the instruction, bytes
RCSW     DS    D
RCODE    DS    H                 code, or address of the device
RCLASS   DS    H                 location of the old PSW
OLDPSW   DS    D
NEWPSW   DS    D
*
* The instruction that is being interpreted.
*
SIMAT    DS    F                 where it is
TEXT     DS    CL6               its bytes
EXTEXT   DS    CL6               EX, of which it is the target
*
* WALK: what was found.
*
WSTE     DS    F                 segment-table entry
WCC      DS    F                 condition code for LRA
WPAGE    DS    F                 11 or 12: byte index of a page, bits
WSEG     DS    F                 16 or 20: of a segment
WVIRT    DS    F
WSAVE    DS    6F
TICKSAVE DS    6F
*
* LOCATE, SPAN, FETCH, STORE.
*
KIND     DS    X                 0: to fetch, 1: to store
         DS    0F
LOCAT    DS    F
FAILED   DS    F                 what goes to 144 when it failed
SPANAT   DS    F
LENA     DS    F
LENB     DS    F
HOSTA    DS    F
HOSTB    DS    F
OPERAND  DS    CL64              What was fetched, or is to be stored.
*
* Return addresses.
*
RREFLECT DS    A
RLOCATE  DS    A
RWALK    DS    A
RSPAN    DS    A
RFETCH   DS    A
RFETCHD  DS    A
RSTORE   DS    A
RTICK    DS    A
RDUE     DS    A
RPENDING DS    A
RPREPARE DS    A
RSELECT  DS    A
RPURGE   DS    A
RPURGEVM DS    A
RDROPPAGE DS   A
RARM     DS    A
RTRANSL  DS    A
RPUTDATA DS    A
RPUTAREA DS    A
RCCWFETCH DS   A
RSTARTIO DS    A
RIOTAKE  DS    A
RMAKEVM  DS    A
RMAKEDEV DS    A
RCSWBACK DS    A
RNEXTIDA DS    A
RSYNCIO  DS    A
REXTENT  DS    A
RDIVIDE  DS    A
*
* The channel program being copied.
*
CPKEY    DS    X                 key in the CAW, in bits 0-3
CPPREV   DS    X                 the last command; 0: none yet
CPCHAIN  DS    X                 X'80': this CCW continues data
CPTIC    DS    X                 1: the last one was a TIC
         DS    0D
CPCCW    DS    D                 the CCW
CPAT     DS    F                 where it is
CPN      DS    F                 CCWs in the copy, x 8
CPIDAWS  DS    F                 IDAWs in the copy, x 4
CPPARMS  DS    F                 parameters in the copy, x 16
CPSTAT   DS    X                 channel status instead of program check
CPEXTENT DS    X                 1: the extent is defined
         DS    0F
CPLEFT   DS    F                 bytes that are left of an area
CPDATA   DS    F                 where in the area we are
CPLIST   DS    F                 the guest's own list of IDAWs
CPSAVE   DS    D                 the CCW as it was
CPPARM   DS    4F                parameters of define extent
SEQUENCE DS    F                 order of arrival
DEVEND   DS    A                 end of the devices in use
IOSAVE   DS    A
*
*----------------------------------------------------------------------
* Constants
*----------------------------------------------------------------------
*
         DS    0D
FOREVER  DC    X'FFFFFFFFFFFFFFFF'
IDLEPSW  DC    X'030A000000000000'   wait for I/O or external
ALLDONE  DC    X'000A00000000D09E'   all guests are in a disabled wait
ALLDEAD  DC    X'000A00000000DEAD'   or one of them is check-stopped
DEADPGM  DC    X'000A0000000BAD01'   the ends that should never be
DEADSIZE DC    X'000A0000000BAD05'   too little storage
DEADPARM DC    X'000A0000000BAD06'   parameters that make no sense
CONTROL  DC    X'00800840'       CR0: pages of 4K, segments of 64K; our
*                                clock comparator and interrupt key
         DC    A(0)              CR1: none yet
         DC    X'FFFFFFFF'       CR2: all channels
MASKS    EQU   X'0840'           those masks
ADDRESS  DC    X'00FFFFFF'       24 bits
PAGEBITS DC    X'00FFF000'
PAGESIZE DC    F'4096'
BLOCK    DC    X'00FFF800'
FORMAT   DC    X'00F80000'       of tables, in CR0
STOMASK  DC    X'FFFFFFC0'
PTOMASK  DC    X'00FFFFF8'
INVALID  EQU   1                 the invalid bit of a segment-table entry
INVALSEG DC    64X'00000001'     64 of them
INVAL4K  DC    32X'0008'         a page table of invalid entries,
INVAL2K  DC    32X'0004'         for either size of pages
*
*----------------------------------------------------------------------
* A VM block: a guest's machine as data
*----------------------------------------------------------------------
*
* The virtual PSW is kept in the format of EC mode, also if it is a BC
* PSW (bit 12 says so): condition code and program mask are in byte 2.
*
VM       DSECT
VGPR     DS    16F               General registers, while it is not
*                                running,
VPSW     DS    D                 PSW,
VCR      DS    16F               control registers,
VPREFIX  DS    F                 prefix register,
VORIGIN  DS    A                 where its storage begins,
VSIZE    DS    F                 how long it is.
VEPOCH   DS    D                 Its TOD clock is ours plus this.
VCOMP    DS    D                 Clock comparator.
VTIMER   DS    D                 Its CPU timer is this minus our clock.
VCOMPDUE DS    D                 Times of our clock after which clock
VTIMEDUE DS    D                 comparator, CPU timer and
VTICKDUE DS    D                 interval timer interrupt.
VTICKS   DS    F                 Ticks that the word at 80 knows of,
VTICKWD  DS    F                 and that word, as we left it.
VNEXT    DS    A                 The next guest, round all of them.
VDEVS    DS    A                 Its devices.
VSPACE   DS    A                 The space it used last,
VREAL    DS    A                 the one of its real storage,
VSPACES  DS    A                 the others.
VUSES    DS    F                 Counts, to find the least used.
VSIMS    DS    F                 Instructions interpreted,
VINTS    DS    7F                interruptions reflected: restart, none,
*                                external, SVC, program, machine check,
*                                I/O, as their old PSWs lie.
VDISP    DS    F                 Where it was given control.
VLASTOLD DS    D                 The last program interruption: old PSW
VLASTCD  DS    H                 and code.
VSTATUS  DS    X                 0: can run; 1: waits; stopped for good:
WAITING  EQU   1
STOPPED  EQU   2                 disabled wait
CHECKSTP EQU   3                 check-stop
VFLAGS   DS    X
BADPSW   EQU   X'80'             the PSW has bits on that must be zero
PROGRESS EQU   X'40'             it got further since VLASTOLD
VLASTOK  EQU   X'20'             there is a VLASTOLD
LOOPING  EQU   X'10'             program interruptions without an end
IOPEND   EQU   X'08'             a device has something for it
LOOK     EQU   X'04'             something came up for it
VEXT     DS    X                 External conditions that are pending:
EXTKEY   EQU   X'40'             interrupt key
EXTTIMER EQU   X'80'             interval timer
EXTEMERG EQU   X'02'             emergency signal
EXTCALL  EQU   X'01'             external call
VNUMBER  DS    X                 0 to 7
LVM      EQU   ((*-VM+7)/8)*8
*
*----------------------------------------------------------------------
* A space: tables under which a guest runs
*----------------------------------------------------------------------
*
SPACE    DSECT
SPKEY    DS    2F                Whose: format (and 1) and CR1 of the
*                                guest; 0: nobody's
SPCR     DS    2F                What CR0 (format) and CR1 have to be
SPSHIFT  DS    F                 11 or 12: byte index of its pages, bits
SPMEGA   DS    F                 1: the guest's segments are of 1M
SPUSED   DS    F                 larger: used later
SPN      DS    F                 how many segments are in use
         ORG   SPACE+64
SPSEGS   DS    256F              The segment table. (On 64 bytes.)
SPFROM   DS    256F              The guest's entry that each was made
*                                from; INVALID: none
SPLIST   DS    256X              Numbers of the segments in use
SPPAGES  DS    256CL64           A page table for each
LSPACE   EQU   ((*-SPACE+63)/64)*64
*
*----------------------------------------------------------------------
* A device of a guest
*----------------------------------------------------------------------
*
DEV      DSECT
DVNEXT   DS    A                 The next one of this guest, or 0.
DVVM     DS    A                 Whose it is.
DVADDR   DS    H                 Its address,
DVREAL   DS    H                 and the real one.
DVFIRST  DS    F                 A disk's first block, and how many are
DVBLOCKS DS    F                 the guest's; 0: all
DVAREA   DS    A                 The copy of its channel program.
DVCAW    DS    F                 The guest's CAW.
DVN      DS    F                 CCWs in the copy, x 8.
DVCHARS  DS    F                 Where device characteristics went,
DVCHARAT DS    F                 by which CCW (x 8); -1: none
DVSEQ    DS    F                 When it came: into the queue, pending.
DVFLAGS  DS    X
BUSY     EQU   X'80'             a program was started,
QUEUED   EQU   X'40'             or will be when its turn comes
LASTUSER EQU   X'20'             of those that share the real device
DIVIDED  EQU   X'10'             it is a part of a disk
DVPEND   DS    X                 What is pending for the guest:
PENDPCI  EQU   X'80'             a PCI,
PENDEND  EQU   X'40'             the end of a program,
PENDATT  EQU   X'20'             something unasked for
         DS    0D
DVPCSW   DS    D                 The CSWs of these.
DVECSW   DS    D
DVACSW   DS    D
LDEV     EQU   *-DEV
*
* The area of a device: its channel program, copied.
*
AREA     DSECT
ARCCWS   DS    96D               CCWs,
ARIDAWS  DS    256F              IDAWs,
ARPARMS  DS    16CL16            parameters of disk commands;
ARFROM   DS    96F               for each CCW: where it came from,
ARSTAT   DS    96X               and the channel status that a program
*                                check there means; 0: just that
CCWMOST  EQU   92*8              (some are kept for the end)
IDAMOST  EQU   256*4
PARMMOST EQU   16*16
*
* Low storage of a guest
*
LOW      DSECT
         ORG   LOW+64
LCSW     DS    D
LCAW     DS    F
         ORG   LOW+80
LTIMER   DS    F
         ORG   LOW+132
LSIGNAL  DS    H
LEXTCODE DS    H
LSVC     DS    F
LPGM     DS    F
LPGMADDR DS    F
LMONCL   DS    H
         ORG   LOW+156
LMONCODE DS    F
         ORG   LOW+168
LCHANID  DS    F
         ORG   LOW+184
LIO      DS    F
*
HV       CSECT
         ORG   HV+X'1000'
CODE     EQU   *
*
*----------------------------------------------------------------------
* START: what there is, who gets what
*----------------------------------------------------------------------
*
START    LM    10,12,BASES
         LCTL  0,2,CONTROL
         LM    4,5,CONTROL
         STM   4,5,HVCR0
         XC    HVCR8,HVCR8
         LCTL  8,8,HVCR8
         PTLB                      (This may not be our first start.)
         XC    NTRAPS(7*4),NTRAPS
         MVC   ALARM,FOREVER
         MVC   SLICEEND,FOREVER
         SCKC  ALARM
         XC    FIRED(3),FIRED      PURGEDUE and CLOCKED, too
         STCK  BEGAN
         L     5,HVSLICE           Microseconds: bit 51 counts them.
         SR    4,4
         SLDL  4,12
         STM   4,5,SLICE
*
* How much storage? TEST PROTECTION touches nothing, not even reference
* bits; where there is no storage it ends with an addressing exception,
* and the program new PSW, changed for the time being, leads to PROBED.
* R1: so much there is; R2: is there so much more?
*
         MVC   RUNPSW,PGMNEW
         MVC   PGMNEW+4(4),=A(PROBED)
         L     1,PAGESIZE
         L     2,=X'00800000'
PROBE    LR    3,1
         AR    3,2
         S     3,PAGESIZE
         TPROT 4095(3),0
         AR    1,2
PROBED   SRL   2,1
         C     2,PAGESIZE
         BNL   PROBE
         MVC   PGMNEW(8),RUNPSW
         ST    1,MEMORY
*
* The guests' blocks, and from the end of storage down what each needs
* of ours: a frame for each of its devices, and its spaces.
*
         L     8,HVGUESTS
         BCTR  8,0
         CL    8,=F'8'
         BNL   BADPARM
         L     1,HVSPACES
         BCTR  1,0
         CL    1,=F'16'
         BNL   BADPARM
         L     7,MEMORY            R7: from here on it is given away.
         L     13,=A(VMS)
         ST    13,LAST
         SR    6,6                 R6: the guest's number
         L     4,=A(DEVPOOL)       R4: the next free device
NEWVM    BAL   14,MAKEVM
         ST    4,DEVEND
         LA    6,1(6)
         LA    1,LVM(13)
         ST    1,VNEXT
         LR    2,13
         LR    13,1
         C     6,HVGUESTS
         BL    NEWVM
         L     1,=A(VMS)           The last one is before the first.
         ST    1,VNEXT-VM(2)
*
* The rest is the guests'. Who has asked for a certain size gets it; the
* others get equal parts of what is left, in whole pages.
*
         S     7,=A(GUEST0)        R7: so much there is,
         BNP   TOOSMALL
         SR    5,5                 R5: so many want a part.
         SR    6,6
ASKED    LR    1,6
         SLL   1,2
         L     0,HVSTORE(1)
         LTR   0,0
         BM    BADPARM
         BNZ   *+8
         LA    5,1(5)
         N     0,PAGEBITS
         SR    7,0
         BM    TOOSMALL
         LA    6,1(6)
         C     6,HVGUESTS
         BL    ASKED
         LTR   5,5
         BZ    GIVE
         SR    6,6                 R7 = R6,R7 / R5
         DR    6,5
         N     7,PAGEBITS
         BZ    TOOSMALL
GIVE     L     13,=A(VMS)
         L     2,=A(GUEST0)
         SR    6,6
GIVENEXT LR    1,6
         SLL   1,2
         L     0,HVSTORE(1)
         N     0,PAGEBITS
         BNZ   *+6
         LR    0,7
         ST    2,VORIGIN
         ST    0,VSIZE
         AR    2,0
         L     13,VNEXT
         LA    6,1(6)
         C     6,HVGUESTS
         BL    GIVENEXT
         BAL   14,DIVIDE           The disks.
*
* Each guest is started by a restart interruption: the program in its
* storage was put there together with ours.
*
         L     13,=A(VMS)
         L     6,HVGUESTS
RESTART  LA    1,8
         BAL   14,REFLECT
         L     13,VNEXT
         BCT   6,RESTART
         B     DISPATCH
BADPARM  LPSW  DEADPARM
TOOSMALL LPSW  DEADSIZE
*
* MAKEVM: the machine of guest R6, after initial reset, in the block at
* R13; takes its devices from R4 on, its storage from R7 down. Changes
* R0-R5, R8, R9, R15.
*
MAKEVM   BEGIN
         LA    0,VM                Zeros to all of it:
         LA    1,LVM
         SR    3,3                 (nothing, filled with zeros)
         MVCL  0,2
         STC   6,VNUMBER
         MVC   VCR(4),=X'000000E0'
         MVI   VCR+8,X'FF'
         MVC   VCR+9(3),VCR+8
         MVI   VCR+56,X'C2'
         MVI   VCR+62,X'02'
         MVC   VTIMER,BEGAN        Its CPU timer is 0 now,
         MVC   VTIMEDUE,BEGAN      its TOD clock ours.
*
* Its devices: the rows for it, or for each.
*
         LA    8,HVDEVS
ROW      CLI   0(8),X'FF'
         BE    ROWOURS
         CLC   0(1,8),VNUMBER
         BNE   ROWNEXT
ROWOURS  LR    9,4
         USING DEV,9
         XC    DEV(LDEV),DEV
         ST    13,DVVM
         MVC   DVADDR,2(8)
         MVC   DVREAL,4(8)
         MVC   DVFIRST(8),8(8)
         MVI   DVCHARAT,X'FF'
         TM    1(8),X'80'
         BZ    *+8
         OI    DVFLAGS,DIVIDED
         S     7,PAGESIZE
         BM    TOOSMALL
         ST    7,DVAREA
         MVC   DVNEXT,VDEVS
         ST    9,VDEVS
         LA    4,LDEV(4)
ROWNEXT  LA    8,16(8)
         LA    0,HVDEVS+8*16
         CR    8,0
         BL    ROW
*
* Its spaces: one for the map of its real storage, and the others. In
* the beginning nothing is valid in them.
*
         L     8,HVSPACES
         LR    1,8
         LA    1,1(1)
         MH    1,=AL2(LSPACE)
         SR    7,1
         BM    TOOSMALL
         N     7,PAGEBITS
         C     7,=A(GUEST0)
         BL    TOOSMALL
         LR    9,7
         ST    9,VREAL
         ST    9,VSPACE
         BAL   3,MAKESP
         A     9,=A(LSPACE)
         ST    9,VSPACES
NEWSPACE BAL   3,MAKESP
         A     9,=A(LSPACE)
         BCT   8,NEWSPACE
         RETURN MAKEVM
*
* MAKESP: an empty space at R9. Link R3. Changes R0-R2.
*
         USING SPACE,9
MAKESP   XC    SPACE(64),SPACE
         LA    1,SPSEGS
         LA    2,8                 Two tables of 1K
MAKEINV  MVC   0(256,1),INVALSEG
         LA    1,256(1)
         BCT   2,MAKEINV
         LA    0,SPSEGS
         O     0,=X'0F000000'      16 x 16 entries
         L     1,CONTROL
         N     1,FORMAT
         STM   0,1,WORK
         MVC   SPCR(4),WORK+4
         MVC   SPCR+4(4),WORK
         MVI   SPSHIFT+3,12
         BR    3
         DROP  9
*
*----------------------------------------------------------------------
* The dispatcher: every trap arrives here
*----------------------------------------------------------------------
*
* Something that interrupts a program is a decision for us: who is to
* handle it? The interpreter, if the guest's own supervisor did what
* only a supervisor may do; the shadow tables, if a page is not in them;
* otherwise the guest, by REFLECT.
*
* Never forget: the guest's registers, before anything else. And whose
* supervisor state it is: the PSW in the VM block says it, never the
* real one.
*
HVTRAP   EQU   *
PGMINT   ENTER PGMOLD
         COUNT NTRAPS
         MVI   CLOCKED,0
         TM    PGMOLD+1,X'01'      Problem state?
         BO    ITSTRAP
         LPSW  DEADPGM             No: ours. There is no going on.
ITSTRAP  SR    4,4
         IC    4,PGMLEN
         ST    4,TRAPILC
         LH    5,PGMCODE
         L     1,VPSW+4            Where it is
         CH    5,=H'16'            Segment, page translation: nothing
         BE    MISSING             was done.
         CH    5,=H'17'
         BE    MISSING
         SR    1,4                 Where it was
         N     1,ADDRESS
         C     1,VDISP             Has it got further since it was given
         BNE   FURTHER             control?
         CH    5,=H'8'             These end an instruction that was
         BE    FURTHER             executed.
         CH    5,=H'10'
         BE    FURTHER
         CH    5,=H'64'
         BNE   STOOD
FURTHER  OI    VFLAGS,PROGRESS
STOOD    CH    5,=H'2'
         BE    PRIVOP
THEIRS   STH   5,RCODE             The guest's own affair
         ST    4,RILC
         MVC   RADDR,PGMADDR
         LA    1,40
         BAL   14,REFLECT
         B     DISPATCH
MISSING  C     1,VDISP
         BE    FILLPAGE
         OI    VFLAGS,PROGRESS
         B     FILLPAGE
*
* A privileged operation. In virtual problem state it is what the guest
* expects, too. In virtual supervisor state it is why we are here.
* (STORE CLOCK is privileged while the guest's clock is not ours; or
* because the guest, perhaps a monitor itself, has asked for it.)
*
PRIVOP   TM    VPSW+1,X'01'
         BZ    SIMULATE
         TM    VCR+3,STCKCTL
         BO    THEIRS
         TM    HVCR0+3,STCKCTL
         BO    SIMULATE
         B     THEIRS
*
SVCINT   ENTER SVCOLD
         COUNT NTRAPS
         MVI   CLOCKED,0
         OI    VFLAGS,PROGRESS
         SR    4,4
         IC    4,SVCLEN
         ST    4,RILC
         MVC   RCODE,SVCNUM-1
         MVI   RCODE,0
         LA    1,32
         BAL   14,REFLECT
         B     DISPATCH
*
* External: the alarm, which is looked after when it is known who runs
* next, or the interrupt key, which is the first guest's.
*
EXTINT   ENTER EXTOLD
         MVI   CLOCKED,0
         CLC   VPSW+5(3),VDISP+1
         BE    *+8
         OI    VFLAGS,PROGRESS
         CLC   EXTCODE,=X'1004'
         BNE   INTKEY
         MVI   FIRED,1
         B     DISPATCH
INTKEY   CLC   EXTCODE,=X'0040'
         BNE   DISPATCH
         L     1,=A(VMS)
         OI    VEXT-VM(1),EXTKEY
         OI    VFLAGS-VM(1),LOOK
         B     DISPATCH
*
IOINT    ENTER IOOLD
         MVI   CLOCKED,0
         CLC   VPSW+5(3),VDISP+1
         BE    *+8
         OI    VFLAGS,PROGRESS
         LH    2,IOADDR
         BAL   14,IOTAKE
         B     DISPATCH
*
*----------------------------------------------------------------------
* Who runs
*----------------------------------------------------------------------
*
* DISPATCH looks at one guest after the other, beginning with the one
* that ran last, until one can run. When the alarm has come, and there
* are several, it begins with the next one: slices are over then, or
* somebody waits for what is due.
*
* Never forget: what is pending, before control is given away; and that
* a real PSW in supervisor state gives the machine away with it.
*
HVDISP   EQU   *
DISPATCH L     13,LAST
         MVC   LOOKS,HVGUESTS
         CLI   FIRED,0
         BE    LOOKAT
         L     13,VNEXT
LOOKAT   BAL   14,PREPARE
         B     *+4(15)
         B     RUN                 0: it can run.
         B     LOOKNEXT            4: not now.
LOOKNEXT L     13,VNEXT
         L     1,LOOKS
         BCTR  1,0
         ST    1,LOOKS
         LTR   1,1
         BNZ   LOOKAT
         B     IDLE
*
* PREPARE: gives the guest whatever interruptions are pending and
* enabled, one after the other as a CPU does: each may change the masks.
* R15 = 0: it can run; 4: it waits, or has stopped. Changes R0-R9.
*
PREPARE  BEGIN
         CLI   VSTATUS,STOPPED
         BNL   CANNOT
         NI    VFLAGS,255-LOOK
PREPNEXT TM    VFLAGS,BADPSW+LOOPING
         BZ    PREPPEND
         TM    VFLAGS,LOOPING
         BO    PREPLOOP
         MVC   RCODE,=H'6'         A PSW that is not valid is found when
         XC    RILC,RILC           it has become current.
         LA    1,40
         BAL   14,REFLECT
         B     PREPNEXT
PREPPEND BAL   14,PENDING
         LTR   1,15
         BZ    PREPARED
         BAL   14,REFLECT
         B     PREPNEXT
PREPLOOP MVI   VSTATUS,CHECKSTP
         B     CANNOT
PREPARED TM    VPSW+1,X'02'        Wait state?
         BO    PREPWAIT
         MVI   VSTATUS,0
         SR    15,15
         RETURN PREPARE
PREPWAIT MVI   VSTATUS,WAITING
         TM    VPSW+1,X'04'        For a machine check? It waits long.
         BO    CANNOT
         SR    0,0
         IC    0,VPSW              For anything at all?
         TM    VPSW+1,X'08'
         BZ    *+8
         N     0,=X'00000003'      (In EC mode only these are masks.)
         LTR   0,0
         BNZ   CANNOT
         MVI   VSTATUS,STOPPED     No. That is the end.
CANNOT   LA    15,4
         RETURN PREPARE
*
* RUN: gives control to the guest: tables, alarm, monitor masks, and
* then, with all registers, the PSW, DE-PRIVILEGED: DAT on, all masks
* on, and problem state; key, condition code, program mask and
* instruction address are the guest's.
*
HVRUN    EQU   *
RUN      COUNT NDISP
         ST    13,CURRENT
         ST    13,HVCURR
         BAL   14,ARM
         BAL   14,SELECT           R9: the space.
         USING SPACE,9
         ST    9,CURSPACE
         LM    4,5,SPCR
         L     1,VCR               Its low-address protection is ours,
         N     1,=X'10000002'      and its control of STORE CLOCK.
         OR    4,1
         LA    0,MASKS
         OR    4,0
         OC    VEPOCH,VEPOCH       Has it set its clock? Then it must
         BZ    *+8                 not see ours.
         O     4,=A(STCKCTL)
         BAL   14,LOADCRS
         CLC   HVCR8,VCR+32
         BE    RUNMASKS
         MVC   HVCR8,VCR+32
         LCTL  8,8,HVCR8
RUNMASKS CLI   PURGEDUE,0
         BE    RUNPURGED
         MVI   PURGEDUE,0
         PTLB
RUNPURGED MVC  RUNPSW,VPSW
         MVI   RUNPSW,X'07'        DAT, I/O, external
         NI    RUNPSW+1,X'F0'
         OI    RUNPSW+1,X'09'      EC mode, problem state
         MVC   VDISP+1(3),VPSW+5
         ST    13,LAST
         LM    0,15,VGPR
         LPSW  RUNPSW
         DROP  9
*
STCKCTL  EQU   X'02'               in CR0: STORE CLOCK is privileged
*
* LOADCRS: our CR0 and CR1 are R4 and R5 from now on. Both are loaded by
* one instruction, so that no mixture of them is ever in force.
*
LOADCRS  STM   4,5,WORK
         CLC   WORK(8),HVCR0
         BER   14
         STM   4,5,HVCR0
         LCTL  0,1,HVCR0
         BR    14
*
* IDLE: nobody can run. Somebody waits: so do we. Or all have stopped:
* so do we, for good.
*
HVIDLE   EQU   *
IDLE     L     13,=A(VMS)
         L     2,HVGUESTS
         SR    3,3
IDLELOOK CLI   VSTATUS,WAITING
         BE    IDLEWAIT
         CLI   VSTATUS,STOPPED
         BE    *+8
         LA    3,1
         L     13,VNEXT
         BCT   2,IDLELOOK
HVSTOP   LTR   3,3
         BNZ   *+8
         LPSW  ALLDONE
         LPSW  ALLDEAD
IDLEWAIT COUNT NIDLE
         L     13,=A(NOBODY)
         ST    13,CURRENT
         ST    13,HVCURR
         BAL   14,ARM
         LPSW  IDLEPSW
*
*----------------------------------------------------------------------
* Time
*----------------------------------------------------------------------
*
* All clocks of the guests are arithmetic on ours, and so are the times
* when they interrupt: DUE finds the first of those that a guest has
* enabled. Our clock comparator, the ALARM, is set to the first of all.
* An alarm that is too early does no harm: we are interrupted, and find
* nothing to do. So it is only set when it would be too late: setting it
* is privileged. And as long as it has not come, nothing before it is
* due, and the clock need not be read: that is, too, on some machines.
*
* Never forget: the alarm, or a guest that never traps keeps the machine
* for ever.
*
* TIME: NOW = the time, read at most once a trap.
*
TIME     CLI   CLOCKED,0
         BNER  14
         MVI   CLOCKED,1
         STCK  NOW
         BR    14
*
* ISDUE: condition code low if the time R4, R5 has passed.
*
ISDUE    CL    4,NOW
         BNER  14
         CL    5,NOW+4
         BR    14
*
* DUE: R4, R5 = the first time after which a timer that is enabled in
* CR0 of the guest interrupts. Changes R0-R3.
*
DUE      BEGIN
         LM    4,5,FOREVER
         TM    VCR+3,X'80'
         BZ    DUECOMP
         BAL   14,TICK
         EARLIER VTICKDUE
DUECOMP  TM    VCR+2,X'08'
         BZ    DUETIMER
         EARLIER VCOMPDUE
DUETIMER TM    VCR+2,X'04'
         BZ    DUEDONE
         EARLIER VTIMEDUE
DUEDONE  RETURN DUE
*
* ARM: sets the alarm for the guest that is to run, or NOBODY: to the
* first time at which something is due for it; or for one that waits; or
* its slice is over, if somebody else could run. Changes R0-R8, R15.
*
ARM      BEGIN
         L     6,FOREVER           R6, R7: the time so far
         LR    7,6
         C     13,=A(NOBODY)
         BE    ARMOTHER
         BAL   14,ARMONE
         CLC   HVGUESTS,=F'1'
         BE    ARMED
ARMOTHER LR    8,13
         L     13,=A(VMS)
         L     15,HVGUESTS
         MVI   WORK,0              X'FF': somebody could run.
ARMNEXT  CR    13,8
         BE    ARMSKIP
         CLI   VSTATUS,WAITING
         BH    ARMSKIP
         BL    ARMRIVAL
         TM    VFLAGS,LOOK
         BZ    ARMWAITS
ARMRIVAL MVI   WORK,X'FF'
         B     ARMSKIP
ARMWAITS BAL   14,ARMONE
ARMSKIP  L     13,VNEXT
         BCT   15,ARMNEXT
         LR    13,8
         CLI   WORK,0
         BE    ARMALONE
         C     13,LAST             Another one than before, or before
         BNE   ARMNEW              nobody wanted a turn: a new slice.
         CLC   SLICEEND,FOREVER
         BE    ARMNEW
         CLI   FIRED,0
         BE    ARMSLICE
ARMNEW   BAL   14,TIME
         LM    4,5,NOW
         ADD64 SLICE
         STM   4,5,SLICEEND
ARMSLICE LR    4,6
         LR    5,7
         EARLIER SLICEEND
         LR    6,4
         LR    7,5
         B     ARMED
ARMALONE MVC   SLICEEND,FOREVER
ARMED    CLI   FIRED,0
         BNE   ARMSET
         CL    6,ALARM
         BL    ARMSET
         BH    ARMKEEP
         CL    7,ALARM+4
         BNL   ARMKEEP
ARMSET   STM   6,7,ALARM
         MVI   FIRED,0
         SCKC  ALARM
ARMKEEP  RETURN ARM
*
* ARMONE: R6, R7 = what is due for this guest, if it is earlier.
*
ARMONE   ST    14,WORK+12
         TM    VPSW,X'01'
         BZ    ARMNONE
         BAL   14,DUE
         STM   4,5,WORK+4
         CLR   4,6
         BH    ARMNONE
         BL    ARMTAKE
         CLR   5,7
         BNL   ARMNONE
ARMTAKE  LR    6,4
         LR    7,5
ARMNONE  L     14,WORK+12
         BR    14
*
* TICK: the interval timer, the word at 80, counts by 256 for each tick
* of 1/300 s. It is ordinary storage, so it is brought up to date when
* it may matter, not continuously. If it is not what we left there, the
* guest has stored it since, and it counts from now on. (Ticks are
* counted for 82 days.) Sets VTICKDUE. Keeps R4, R5.
*
TICK     BEGIN
         STM   4,9,TICKSAVE
         BAL   14,TIME
         LM    4,5,NOW
         SUB64 BEGAN
         SRDL  4,12                Microseconds,
         LR    3,4
         LR    2,5
         SLDL  4,1
         ALR   5,2
         BC    12,*+8
         AL    4,=F'1'
         ALR   4,3                 x 3,
         C     4,=F'5000'
         BNL   TICKDONE
         D     4,=F'10000'         / 10000: ticks. R5
         L     9,VORIGIN
         A     9,VPREFIX
         USING LOW,9
         L     2,LTIMER
         LR    6,5
         S     6,VTICKS            R6: ticks since the last time
         BZ    TICKSAME
         ST    5,VTICKS
         C     2,VTICKWD
         BNE   TICKSAME
         LR    3,2
         LR    7,6
         SLL   7,8
         SR    2,7
         ST    2,LTIMER
         LTR   3,3                 Did it become negative?
         BM    TICKSAME
         SRL   3,8
         CR    6,3
         BNH   TICKSAME
         OI    VEXT,EXTTIMER
TICKSAME ST    2,VTICKWD
         MVC   VTICKDUE,FOREVER
         LTR   2,2
         BM    TICKDONE
*
* When will it? At tick VTICKS + word/256 + 1, and n ticks are
* (n/3) x 10000 + (n mod 3) x 3333 + 1 microseconds.
*
         SRL   2,8
         A     2,VTICKS
         LA    5,1(2)
         SR    4,4
         D     4,=F'3'
         LR    3,4
         M     4,=F'10000'
         LTR   3,3
         BZ    TICKNONE
         MH    3,=H'3333'
         LA    3,1(3)
         ALR   5,3
         BC    12,TICKNONE
         AL    4,=F'1'
TICKNONE SLDL  4,12
         ADD64 BEGAN
         SL    5,=F'1'             After that time, so minus one.
         BC    3,*+8
         SL    4,=F'1'
         STM   4,5,VTICKDUE
TICKDONE LM    4,9,TICKSAVE
         RETURN TICK
         DROP  9
*
*----------------------------------------------------------------------
* Reflection: the guest gets an interruption
*----------------------------------------------------------------------
*
* Never forget: the order of priority; that a condition which was taken
* is not pending any more; and that low storage is where the prefix of
* the guest says.
*
* PENDING: the first pending interruption that PSW and control registers
* of the guest enable, in the architected order: external, then I/O.
* R15 = the location of its old PSW, or 0; RCODE, RCSW describe it, and
* it is not pending any longer. Changes R0-R9.
*
PENDING  BEGIN
         XC    RILC,RILC
         TM    VPSW,X'01'
         BZ    PENDIO
         TM    VEXT,EXTKEY
         BZ    PEMERG
         TM    VCR+3,X'40'
         BZ    PEMERG
         NI    VEXT,255-EXTKEY
         MVC   RCODE,=X'0040'
         B     PENDEXT
PEMERG   TM    VEXT,EXTEMERG
         BZ    PCALL
         TM    VCR+2,X'40'
         BZ    PCALL
         NI    VEXT,255-EXTEMERG
         MVC   RCODE,=X'1201'
         B     PENDEXT
PCALL    TM    VEXT,EXTCALL
         BZ    PTIMERS
         TM    VCR+2,X'20'
         BZ    PTIMERS
         NI    VEXT,255-EXTCALL
         MVC   RCODE,=X'1202'
         B     PENDEXT
PTIMERS  BAL   14,DUE
         CLI   FIRED,0             Nothing that is due later than the
         BNE   PTIME               alarm can be due yet.
         CL    4,ALARM
         BH    PINTERV
         BL    PTIME
         CL    5,ALARM+4
         BNL   PINTERV
PTIME    BAL   14,TIME
         LM    4,5,VCOMPDUE
         BAL   14,ISDUE
         BNL   PCPUT
         TM    VCR+2,X'08'
         BZ    PCPUT
         MVC   RCODE,=X'1004'
         B     PENDEXT
PCPUT    LM    4,5,VTIMEDUE
         BAL   14,ISDUE
         BNL   PINTERV
         TM    VCR+2,X'04'
         BZ    PINTERV
         MVC   RCODE,=X'1005'
         B     PENDEXT
PINTERV  TM    VEXT,EXTTIMER
         BZ    PENDIO
         TM    VCR+3,X'80'
         BZ    PENDIO
         NI    VEXT,255-EXTTIMER
         MVC   RCODE,=X'0080'
PENDEXT  LA    15,24
         RETURN PENDING
*
* I/O: in BC mode the PSW has a mask for each of channels 0 to 5, and
* one for all others together; in EC mode one for all. The masks in CR2
* count for what is masked together. R7: channels that are enabled.
*
PENDIO   TM    VFLAGS,IOPEND
         BZ    PENDNONE
         SR    7,7
         TM    VPSW+1,X'08'
         BO    PENDEC
         IC    7,VPSW
         N     7,=X'000000FC'
         SLL   7,24
         TM    VPSW,X'02'
         BZ    PENDSCAN
         L     0,VCR+8
         N     0,=X'03FFFFFF'
         OR    7,0
         B     PENDSCAN
PENDEC   TM    VPSW,X'02'
         BZ    PENDSCAN
         L     7,VCR+8
PENDSCAN LTR   7,7
         BZ    PENDNONE
         SR    6,6                 R6: the device, so far,
         LA    5,256               R5: its channel
         NI    VFLAGS,255-IOPEND
         L     9,VDEVS
         USING DEV,9
         B     PENDTEST
PENDDEV  CLI   DVPEND,0
         BE    PENDSKIP
         OI    VFLAGS,IOPEND
         SR    1,1
         IC    1,DVADDR            Its channel
         L     0,=X'80000000'
         LR    2,1
         C     2,=F'31'
         BNH   *+8
         LA    2,31
         SRL   0,0(2)
         NR    0,7
         BZ    PENDSKIP
         CR    1,5                 The lowest channel first,
         BH    PENDSKIP
         BL    PENDBEST
         L     0,DVSEQ             within it what came first
         C     0,DVSEQ-DEV(6)
         BH    PENDSKIP
PENDBEST LR    6,9
         LR    5,1
PENDSKIP L     9,DVNEXT
PENDTEST LTR   9,9
         BNZ   PENDDEV
         LTR   9,6
         BZ    PENDNONE
         MVC   RCODE,DVADDR
         BAL   14,TAKECSW
         LA    15,56
         RETURN PENDING
PENDNONE SR    15,15
         RETURN PENDING
*
* TAKECSW: RCSW = the first CSW that is pending for device R9, which is
* not any longer.
*
TAKECSW  MVC   RCSW,DVPCSW
         TM    DVPEND,PENDPCI
         BZ    *+10
         NI    DVPEND,255-PENDPCI
         BR    14
         MVC   RCSW,DVECSW
         TM    DVPEND,PENDEND
         BZ    *+10
         NI    DVPEND,255-PENDEND
         BR    14
         MVC   RCSW,DVACSW
         NI    DVPEND,255-PENDATT
         BR    14
         DROP  9
*
* REFLECT: does to low storage and PSW of the guest what an interruption
* does: R1 = location of the old PSW; code, instruction length, address
* and CSW in RCODE, RILC, RADDR, RCSW. Nothing else is changed. In which
* format old PSW and codes are stored depends on the mode of the program
* that is interrupted. Changes R0-R2, R9.
*
HVREFL   EQU   *
REFLECT  BEGIN
         STH   1,RCLASS
         L     9,VPREFIX
         A     9,VORIGIN
         USING LOW,9
         LA    2,LOW(1)            R2: where it goes
         SRL   1,1                 R1: 4 for each class
         COUNT VINTS-4(1)
         MVC   OLDPSW,VPSW
         TM    VPSW+1,X'08'
         BO    RCODES
         MVC   OLDPSW+2(2),RCODE   BC mode
         L     0,RILC
         SLL   0,5                 Its bits 0-1 of the byte
         STC   0,OLDPSW+4
         OC    OLDPSW+4(1),VPSW+2
RCODES   B     *(1)
         B     RSWAP               8: restart
         B     RSWAP               16: (none)
         B     REXT                24
         B     RSVC                32
         B     RPGM                40
         B     RSWAP               48: machine check
         B     RIO                 56
REXT     XC    LSIGNAL,LSIGNAL
         TM    VPSW+1,X'08'
         BZ    RSWAP
         MVC   LEXTCODE,RCODE
         B     RSWAP
RSVC     TM    VPSW+1,X'08'
         BZ    RSWAP
         L     0,RILC
         SLL   0,16
         ST    0,LSVC
         MVC   LSVC+2(2),RCODE
         B     RSWAP
RPGM     TM    VPSW+1,X'08'
         BZ    RPGMBC
         L     0,RILC
         SLL   0,16
         ST    0,LPGM
         MVC   LPGM+2(2),RCODE
RPGMBC   CLC   RCODE,=X'0010'
         BE    RADDRESS
         CLC   RCODE,=X'0011'
         BNE   RMONITOR
RADDRESS MVC   LPGMADDR,RADDR
RMONITOR CLC   RCODE,=X'0040'
         BNE   RSWAP
         MVC   LMONCL,MONCLASS
         MVC   LMONCODE,MONCODE
         B     RSWAP
RIO      MVC   LCSW,RCSW
         TM    VPSW+1,X'08'
         BZ    RSWAP
         XC    LIO,LIO
         MVC   LIO+2(2),RCODE
RSWAP    MVC   0(8,2),OLDPSW       The swap
         MVC   NEWPSW,64(2)
         CLC   RCLASS,=H'8'
         BNE   *+10
         MVC   NEWPSW,0(9)
         DROP  9
         BAL   14,LOADPSW
         CLC   RCLASS,=H'40'
         BNE   REFLD
*
* Does the guest hang? A program new PSW that is not valid, or the same
* program interruption twice without any progress between, and a new PSW
* that lets nothing else in: on a real machine this repeats for ever.
* We stop the guest.
*
         TM    VFLAGS,BADPSW
         BO    RHANGS
         TM    VFLAGS,VLASTOK
         BZ    RPROGR
         TM    VFLAGS,PROGRESS
         BO    RPROGR
         CLC   VLASTOLD,OLDPSW
         BNE   RPROGR
         CLC   VLASTCD,RCODE
         BNE   RPROGR
         SR    0,0
         IC    0,VPSW
         TM    VPSW+1,X'08'
         BZ    *+8
         N     0,=X'00000003'
         LTR   0,0
         BNZ   RPROGR
RHANGS   OI    VFLAGS,LOOPING
RPROGR   NI    VFLAGS,255-PROGRESS
         OI    VFLAGS,VLASTOK
         MVC   VLASTOLD,OLDPSW
         MVC   VLASTCD,RCODE
REFLD    RETURN REFLECT
*
* LOADPSW: the guest's PSW is that in NEWPSW, in either format.
*
LOADPSW  MVC   VPSW,NEWPSW
         NI    VFLAGS,255-BADPSW
         TM    VPSW+1,X'08'
         BO    LOADEC
         MVC   VPSW+2(1),NEWPSW+4
         NI    VPSW+2,X'3F'
         XC    VPSW+3(2),VPSW+3
         BR    14
LOADEC   TM    VPSW,X'B8'          Bits that must be zero
         BNZ   LOADBAD
         TM    VPSW+2,X'C0'
         BNZ   LOADBAD
         CLC   VPSW+3(2),=H'0'
         BER   14
LOADBAD  OI    VFLAGS,BADPSW
         BR    14
*
*----------------------------------------------------------------------
* Storage of the guest, as its own CPU would reach it
*----------------------------------------------------------------------
*
* Never forget: to compare with VSIZE. An address that is not compared
* is another guest's storage, or ours.
*
* ABSOLUTE: R2, guest real, becomes host real. R15 = 0, or 5: there is
* no such storage. This is the allocator: nothing else makes addresses
* in the guest's storage, and it makes no others. Changes R0.
*
ABSOLUTE N     2,ADDRESS
         LR    0,2
         N     0,PAGEBITS
         BNZ   NOTPAGE0            Prefixing
         O     2,VPREFIX
         B     INSTALLD
NOTPAGE0 C     0,VPREFIX
         BNE   INSTALLD
         SR    2,0
INSTALLD CL    2,VSIZE
         BNL   NOSTORE
         A     2,VORIGIN
         SR    15,15
         BR    14
NOSTORE  LA    15,5
         BR    14
*
* WALK: R2, guest virtual, becomes guest real, by the tables of the
* guest: two fetches, with all tests that a CPU makes, in its order.
* R15 = 0 or the code of the exception; WSTE, WCC for those who ask, and
* with codes 10 and 11 R2 is the address of the entry, as LRA gives it.
* Changes R0, R1.
*
WALK     BEGIN
         STM   3,8,WSAVE
         N     2,ADDRESS
         ST    2,WVIRT
         L     1,VCR               The format: CR0 bits 8-12
         N     1,FORMAT
         LA    6,16                R6: of a segment, as a power of 2
         LA    7,12                R7: of a page
         CL    1,=X'00800000'
         BE    WFORMAT
         LA    7,11
         CL    1,=X'00400000'
         BE    WFORMAT
         LA    6,20
         CL    1,=X'00500000'
         BE    WFORMAT
         LA    7,12
         CL    1,=X'00900000'
         BE    WFORMAT
         LA    15,18               Translation specification
         B     WEND
WFORMAT  LR    3,2                 R3: address of the segment-table
         SRL   3,0(6)              entry
         SLL   3,2
         L     0,VCR+4
         N     0,STOMASK
         AR    3,0
         N     3,ADDRESS
         MVI   WCC+3,3
         C     6,=F'16'            Is the table long enough?
         BNE   WLONG
         SRL   2,20
         L     0,VCR+4
         SRL   0,24
         CR    2,0
         BH    WNOSEG
WLONG    LR    2,3
         BAL   14,ABSOLUTE
         LTR   15,15
         BNZ   WEND
         L     4,0(2)              R4: the segment-table entry
         ST    4,WSTE
         MVI   WCC+3,1
         LR    0,4
         N     0,=A(INVALID)
         BNZ   WNOSEG
         TM    WSTE,X'0F'
         BNZ   WSPEC
         L     2,WVIRT             R3: address of the page-table entry
         LR    1,6
         S     1,=F'4'
         LR    5,2                 R5: four bits of the page index
         SRL   5,0(1)
         N     5,=F'15'
         LA    1,32                The page index: without the segment,
         SR    1,6
         LR    3,2
         SLL   3,0(1)
         SRL   3,0(1)
         SRL   3,0(7)
         SLL   3,1
         LR    0,4
         N     0,PTOMASK
         AR    3,0
         N     3,ADDRESS
         MVI   WCC+3,3
         SRL   4,28
         CR    5,4                 Is this table long enough?
         BH    WNOPAGE
         LR    2,3
         BAL   14,ABSOLUTE
         LTR   15,15
         BNZ   WEND
         LH    4,0(2)              R4: the page-table entry
         MVI   WCC+3,2
         LA    5,8                 R5: its invalid bit, R8: bits that
         LA    8,6                 must be zero, R0: the frame's
         L     0,=X'0000FFF0'
         C     7,=F'12'
         BE    WPTE
         LA    5,4
         LA    8,2
         L     0,=X'0000FFF8'
WPTE     NR    5,4
         BNZ   WNOPAGE
         NR    8,4
         BNZ   WSPEC
         NR    4,0
         SLL   4,8                 The frame, and the byte in it
         L     2,WVIRT
         LA    1,32
         SR    1,7
         SLL   2,0(1)
         SRL   2,0(1)
         OR    2,4
         MVI   WCC+3,0
         SR    15,15
         B     WEND
WNOSEG   LR    2,3
         LA    15,16
         B     WEND
WNOPAGE  LR    2,3
         LA    15,17
         B     WEND
WSPEC    LA    15,18
WEND     LM    3,8,WSAVE
         RETURN WALK
*
* LOCATE: R2, guest logical, becomes host real, if the guest's program
* may use it so (KIND: 0 fetch, 1 store). R15 = 0 or the code; FAILED
* for codes 10 and 11. Translation, segment protection, addressing,
* low-address protection, key: as the CPU tests. Changes R0, R1.
*
LOCATE   BEGIN
         N     2,ADDRESS
         ST    2,LOCAT
         TM    VPSW+1,X'08'
         BZ    LOCREAL
         TM    VPSW,X'04'
         BZ    LOCREAL
         BAL   14,WALK
         LTR   15,15
         BZ    LOCSEG
         MVC   FAILED,LOCAT
         NI    FAILED+2,X'F8'
         MVI   FAILED+3,0
         B     LOCEND
LOCSEG   CLI   KIND,0
         BE    LOCREAL
         TM    WSTE+3,X'04'
         BO    LOCPROT
LOCREAL  BAL   14,ABSOLUTE
         LTR   15,15
         BNZ   LOCEND
         CLI   KIND,0
         BE    LOCKEY
         TM    VCR,X'10'
         BZ    LOCKEY
         CLC   LOCAT,=F'512'
         BL    LOCPROT
LOCKEY   SR    0,0
         IC    0,VPSW+1
         BAL   14,KEYOK
         B     LOCEND
LOCPROT  LA    15,4
LOCEND   RETURN LOCATE
*
* KEYOK: R15 = 0, if a program whose key is in bits 24-27 of R0 may use
* host real storage R2 (KIND); 4, if not. Storage of a guest is its own
* alone, so that the keys of it are really the guest's. Changes R0, R1.
*
KEYOK    SR    15,15
         N     0,=X'000000F0'
         BZR   14                  Key 0 opens everything.
         LR    1,2
         N     1,BLOCK
         SR    15,15
         ISK   15,1
         LR    1,15
         N     1,=X'000000F0'
         CR    1,0
         BE    KEYFITS
         CLI   KIND,0
         BNE   KEYNOT
         N     15,=F'8'            Fetch protection
         BZR   14
KEYNOT   LA    15,4
         BR    14
KEYFITS  SR    15,15
         BR    14
*
* FETCH: OPERAND = the R1 bytes (64 at most) at R2, guest logical.
* STORE: the other way. R15 = 0 or the code: nothing was moved then.
* Both blocks are looked at, if it crosses from one to another, before
* anything moves. Change R0-R2, R4, R5.
*
FETCH    BEGIN
         MVI   KIND,0
         BAL   14,SPAN
         LTR   15,15
         BNZ   FETCHED
         L     1,LENA
         BCTR  1,0
         L     2,HOSTA
         EX    1,FETCHA
         ICM   1,15,LENB
         BZ    FETCHED
         L     4,LENA
         LA    4,OPERAND(4)
         BCTR  1,0
         L     2,HOSTB
         EX    1,FETCHB
FETCHED  RETURN FETCH
FETCHA   MVC   OPERAND(0),0(2)
FETCHB   MVC   0(0,4),0(2)
*
STORE    BEGIN
         MVI   KIND,1
         BAL   14,SPAN
         LTR   15,15
         BNZ   STORED
         L     1,LENA
         BCTR  1,0
         L     2,HOSTA
         EX    1,STOREA
         ICM   1,15,LENB
         BZ    STORED
         L     4,LENA
         LA    4,OPERAND(4)
         BCTR  1,0
         L     2,HOSTB
         EX    1,STOREB
STORED   RETURN STORE
STOREA   MVC   0(0,2),OPERAND
STOREB   MVC   0(0,2),0(4)
*
* SPAN: where the R1 bytes at R2 lie: HOSTA, LENA, and HOSTB, LENB if
* they lie in two blocks.
*
SPAN     BEGIN
         ST    2,SPANAT
         ST    1,LENA
         XC    LENB,LENB
         LA    4,2048              To the end of the block
         LR    5,2
         N     5,=F'2047'
         SR    4,5
         CR    4,1
         BNL   SPANONE
         ST    4,LENA
         SR    1,4
         ST    1,LENB
SPANONE  BAL   14,LOCATE
         ST    2,HOSTA
         LTR   15,15
         BNZ   SPANEND
         L     0,LENB
         LTR   0,0
         BZ    SPANEND
         L     2,SPANAT
         A     2,LENA
         BAL   14,LOCATE
         ST    2,HOSTB
SPANEND  RETURN SPAN
*
*----------------------------------------------------------------------
* Shadow tables
*----------------------------------------------------------------------
*
* A guest runs with DAT on under tables of ours. With DAT off, as it
* believes, these are the map of its real storage; with DAT on, for each
* of its address spaces, the product of its tables and that map. They
* are empty in the beginning. What is not in them traps; we walk the
* guest's tables, and fill one entry or give the guest its exception.
*
* So shadow tables are a TLB, only larger: when the guest changes an
* entry of its tables, it has to purge its TLB, or that entry; before it
* does, it may see either. That is all that it was ever promised. And
* our own machine has a TLB that remembers ours: when we make an entry
* invalid or change it, we have to purge that (PURGEDUE).
*
* Never forget: that purge; and to walk the guest's tables anew for each
* fault, as it may have taken the page away.
*
         USING SPACE,9
*
* SELECT: R9 = the space in which the guest runs now: of those that we
* have, the one with its CR1 and its format; or the least recently used
* one, emptied. Changes R0-R6.
*
SELECT   BEGIN
         L     9,VREAL
         TM    VPSW+1,X'08'
         BZ    SELECTED
         TM    VPSW,X'04'
         BZ    SELECTED
         L     4,VCR
         N     4,FORMAT
         O     4,=F'1'
         L     5,VCR+4
         N     5,STOMASK
         STM   4,5,WORK
         L     9,VSPACE
         CLC   SPKEY(8),WORK
         BE    SELUSE
         L     9,VSPACES
         LR    6,9                 R6: the least used so far
         L     3,HVSPACES
SELNEXT  CLC   SPKEY(8),WORK
         BE    SELUSE
         CLC   SPUSED,SPUSED-SPACE(6)
         BNL   *+6
         LR    6,9
         A     9,=A(LSPACE)
         BCT   3,SELNEXT
         LR    9,6
         COUNT NTAKEN
         BAL   14,EMPTY
         MVC   SPKEY(8),WORK
         LA    0,12                Page size and format of the shadow
         L     1,=X'00800000'      are those of the guest, the segments
         TM    SPKEY+1,X'80'       are always of 64K: sixteen of them
         BO    SELFORM             make one of 1M.
         LA    0,11
         L     1,=X'00400000'
SELFORM  ST    0,SPSHIFT
         ST    1,SPCR
         XC    SPMEGA,SPMEGA
         TM    SPKEY+1,X'10'
         BZ    SELUSE
         MVI   SPMEGA+3,1
SELUSE   ST    9,VSPACE
         LA    0,1
         A     0,VUSES
         ST    0,VUSES
         ST    0,SPUSED
SELECTED RETURN SELECT
*
* EMPTY: nothing in space R9 is valid any longer. Changes R0-R2.
*
EMPTY    ICM   1,15,SPN
         BZR   14
         MVI   PURGEDUE,1
         LA    0,INVALID
EMPTYSEG SR    2,2
         IC    2,SPLIST-1(1)
         SLL   2,2
         ST    0,SPSEGS(2)
         ST    0,SPFROM(2)
         BCT   1,EMPTYSEG
         XC    SPN,SPN
         BR    14
*
* PURGE: empties all address spaces of the guest. (The map of its real
* storage is not the guest's to purge.) Changes R0-R3, R9.
*
HVPURGE  EQU   *
PURGE    BEGIN
         COUNT NPURGE
         L     3,HVSPACES
         L     9,VSPACES
PURGENXT BAL   14,EMPTY
         A     9,=A(LSPACE)
         BCT   3,PURGENXT
         RETURN PURGE
*
* FILLPAGE: a page fault. The guest ran in CURSPACE. If its own tables
* have the page, it gets the page, and does the instruction again, of
* which nothing was done. If not, the fault is its own. But our machine
* has reported a page fault in any case, and what the guest has to get
* may be another exception, one that is told behind the instruction.
*
HVFILL   EQU   *
FILLPAGE L     9,CURSPACE
         L     2,PGMADDR
         ST    2,LOCAT
         XC    WSTE,WSTE
         C     9,VREAL
         BE    FILLREAL
         BAL   14,WALK
         LTR   15,15
         BNZ   FILLNOT
FILLREAL N     2,BLOCK
         BAL   14,ABSOLUTE
         LTR   15,15
         BZ    FILLIT
         TM    WSTE+3,X'04'        A page that is not installed, in a
         BZ    FILLNOT             protected segment: protection would
         L     2,MEMORY            be tested first. Let the CPU decide:
         C     2,=X'01000000'      give it one that we have not either.
         BNL   FILLNOT
FILLIT   LR    3,2
         L     2,LOCAT
         L     4,WSTE
         COUNT NFILL
         BAL   14,FILL
         B     DISPATCH
FILLNOT  LR    5,15
         L     4,TRAPILC
         CH    5,=H'16'
         BE    THEIRS
         CH    5,=H'17'
         BE    THEIRS
         L     1,VPSW+4            Behind the instruction
         AR    1,4
         STCM  1,7,VPSW+5
         B     THEIRS
*
* FILL: in space R9 the page of virtual address R2 is at R3, host real;
* R4 = the segment-table entry of the guest that it was found by. A page
* table is made when the first of its pages is. From invalid to valid
* needs no purge. Changes R0-R7.
*
FILL     LR    5,2
         N     5,=X'00FF0000'
         SRL   5,16                R5: segment
         LR    6,5
         SLL   6,2                 R6: x 4
         LR    7,5
         SLL   7,6
         LA    7,SPPAGES(7)        R7: its page table
         N     2,=X'0000FFFF'
         L     1,SPSHIFT
         SRL   2,0(1)
         SLL   2,1                 R2: the entry in it
         SRL   3,8                 R3: what is in that. (Faults are told
         TM    SPSHIFT+3,1         to 2K, whatever the size of pages.)
         BO    *+8
         N     3,=X'0000FFF0'
         C     4,SPFROM(6)
         BE    FILLPTE
         L     0,SPFROM(6)
         C     0,=A(INVALID)
         BE    FILLNEW
         MVI   PURGEDUE,1          It was made from another entry: the
         B     FILLTAB             guest has changed its segment table.
FILLNEW  L     1,SPN
         STC   5,SPLIST(1)
         LA    1,1(1)
         ST    1,SPN
FILLTAB  MVC   0(64,7),INVAL4K
         TM    SPSHIFT+3,1
         BZ    *+10
         MVC   0(64,7),INVAL2K
         STH   3,0(2,7)
         LR    0,4                 Valid, long enough, and protected if
         N     0,=F'4'             the guest's is
         OR    0,7
         O     0,=X'F0000000'
         ST    0,SPSEGS(6)
         ST    4,SPFROM(6)
         BR    14
FILLPTE  STH   3,0(2,7)
         BR    14
*
* DROPPAGE: the page of real address R2 is not valid any longer in the
* map of the guest's real storage, R9. Changes R0-R3.
*
DROPPAGE LR    1,2
         SRL   1,16
         LR    3,1
         SLL   3,2
         L     0,SPFROM(3)
         C     0,=A(INVALID)
         BER   14
         SLL   1,6
         LA    1,SPPAGES(1)
         N     2,=X'0000F000'
         SRL   2,11
         AR    1,2
         MVC   0(2,1),INVAL4K
         MVI   PURGEDUE,1
         BR    14
*
* DROPENT: the guest has made entry R5 (its index) of its page table at
* R4 invalid, by IPTE. Wherever that table is part of a space, one entry
* goes: by an IPTE of ours, which spares us a purge, if our CR0 has the
* right format. Changes R0-R3, R6, R7, R9, R15.
*
DROPENT  L     15,HVSPACES
         L     9,VSPACES
DROPSP   L     1,SPKEY
         L     0,VCR               Another format, another table
         N     0,FORMAT
         BCTR  1,0
         CR    0,1
         BNE   DROPSPNX
         ICM   6,15,SPN
         BZ    DROPSPNX
DROPSEG  SR    7,7
         IC    7,SPLIST-1(6)       R7: segment
         LR    2,7
         SLL   2,2
         L     0,SPFROM(2)
         N     0,PTOMASK
         CR    0,4
         BNE   DROPNEXT
         LR    2,5                 R2: the entry in our page table
         CLI   SPMEGA+3,0
         BE    DROP64K
         LA    3,16                1M: which sixteenth of it is it?
         S     3,SPSHIFT
         LR    1,5
         SRL   1,0(3)
         LR    0,7
         N     0,=F'15'
         CR    0,1
         BNE   DROPNEXT
         SLL   1,0(3)
         SR    2,1
DROP64K  LR    1,7
         SLL   1,6
         LA    1,SPPAGES(1)        R1: the page table
         LR    3,2
         SLL   3,1
         AR    3,1
         CLI   SPSHIFT+3,12
         BE    DROP4K
         TM    1(3),X'04'
         BO    DROPNEXT
         B     DROPHOW
DROP4K   TM    1(3),X'08'
         BO    DROPNEXT
DROPHOW  L     0,HVCR0
         N     0,FORMAT
         C     0,SPCR
         BNE   DROPBY
         L     3,SPSHIFT           The virtual address of it
         SLL   2,0(3)
         SLL   7,16
         OR    2,7
         IPTE  1,2
         B     DROPNEXT
DROPBY   MVC   0(2,3),INVAL4K
         CLI   SPSHIFT+3,12
         BE    *+10
         MVC   0(2,3),INVAL2K
         MVI   PURGEDUE,1
DROPNEXT BCT   6,DROPSEG
DROPSPNX A     9,=A(LSPACE)
         BCT   15,DROPSP
         BR    14
         DROP  9
*
*----------------------------------------------------------------------
* The interpreter
*----------------------------------------------------------------------
*
* SIMULATE finds out which instruction it is, its registers and its
* address, and goes to the routine for it by the table OPTABLE, with
*
*   R3   address of the operand, guest logical
*   R7   4 x its first register, so that VGPR(7) is what is in it
*   R8   4 x the second (or third, or index) register
*
* A routine ends with B SIMDONE; SIMCC, if it sets a condition code, R15
* = it; SIMFAIL, if it ended with an exception, R15 = the code.
*
* Never forget: all tests come before anything is changed, in the order
* in which a CPU makes them; and what is loaded goes to the VM block,
* never to the machine.
*
HVSIM    EQU   *
SIMULATE L     1,TRAPILC
         L     2,VPSW+4
         SR    2,1
         N     2,ADDRESS
         ST    2,SIMAT
         BAL   14,FETCH
         LTR   15,15
         BNZ   SIMFAIL
         MVC   TEXT,OPERAND
         CLI   TEXT,X'44'
         BNE   SIMFIND
*
* EXECUTE: the instruction is the one that it points to, with a register
* ORed into its second byte.
*
         MVC   EXTEXT,TEXT
         SR    1,1
         IC    1,TEXT+1
         N     1,=F'15'
         SLL   1,2
         BAL   14,ADDRESS2
         LTR   1,1
         BZ    *+8
         AL    3,VGPR(1)
         LR    2,3
         LA    1,2
         BAL   14,FETCH
         LTR   15,15
         BNZ   SIMFAIL
         MVC   TEXT(2),OPERAND
         CLI   TEXT,X'40'
         BL    SIMEXOR
         LA    1,2
         CLI   TEXT,X'C0'
         BL    *+8
         LA    1,4
         LA    2,2(3)
         BAL   14,FETCH
         LTR   15,15
         BNZ   SIMFAIL
         MVC   TEXT+2(4),OPERAND
SIMEXOR  SR    1,1
         IC    1,EXTEXT+1
         SRL   1,4
         SLL   1,2
         LTR   1,1
         BZ    SIMFIND
         LA    1,VGPR+3(1)
         OC    TEXT+1(1),0(1)
SIMFIND  SR    1,1
         IC    1,TEXT
         CLI   TEXT,X'B2'
         BNE   SIMROW
         IC    1,TEXT+1
         C     1,=F'47'
         BH    SIMNONE
         LA    1,256(1)
SIMROW   SLL   1,1
         LH    6,OPTABLE(1)
SIMNONE  SR    7,7
         IC    7,TEXT+1
         LR    8,7
         SRL   7,4
         SLL   7,2
         N     8,=F'15'
         SLL   8,2
         BAL   14,ADDRESS2
         CLI   TEXT,X'E5'
         BNE   *+12
         CLI   TEXT+1,1
         BNE   SIMOPER
         LTR   6,6
         BZ    SIMOPER
         TM    VPSW+1,X'01'        A problem program is here only for
         BZ    0(6,12)             STORE CLOCK.
         CLC   TEXT(2),=X'B205'
         BE    0(6,12)
         LA    15,2
         B     SIMFAIL
SIMOPER  LA    15,1
SIMFAIL  STH   15,RCODE
         MVC   RILC,TRAPILC
         MVC   RADDR,FAILED
         CH    15,=H'16'
         BL    SIMGIVE
         CH    15,=H'17'
         BH    SIMGIVE
         L     1,VPSW+4            Nullified: back to it
         S     1,TRAPILC
         STCM  1,7,VPSW+5
SIMGIVE  LA    1,40
         BAL   14,REFLECT
         B     DISPATCH
SIMCC    SLL   15,4
         NI    VPSW+2,X'0F'
         STC   15,WORK
         OC    VPSW+2(1),WORK
SIMDONE  COUNT VSIMS
         OI    VFLAGS,PROGRESS
         B     DISPATCH
*
* ADDRESS2: R3 = base and displacement in bytes 2 and 3 of TEXT. Changes
* R0.
*
ADDRESS2 SR    3,3
         IC    3,TEXT+2
         SRL   3,4
         SLL   3,2
         LTR   3,3
         BZ    *+8
         L     3,VGPR(3)
         LH    0,TEXT+2
         N     0,=X'00000FFF'
         ALR   3,0
         N     3,ADDRESS
         BR    14
*
* FETCHD: OPERAND = the doubleword at R3; FETCHAL: the R1 bytes, on a
* boundary that R0 tells: these bits of the address are zero. STOREDW,
* STOREAL: the other way. Or the instruction fails. Change R0-R2, R4,
* R5, R15.
*
FETCHD   LA    0,7
         LA    1,8
FETCHAL  ST    14,RFETCHD
         NR    0,3
         BNZ   SIMSPEC
         LR    2,3
         BAL   14,FETCH
         LTR   15,15
         BNZ   SIMFAIL
         L     14,RFETCHD
         BR    14
STOREDW  LA    0,7
         LA    1,8
STOREAL  ST    14,RFETCHD
         NR    0,3
         BNZ   SIMSPEC
         LR    2,3
         BAL   14,STORE
         LTR   15,15
         BNZ   SIMFAIL
         L     14,RFETCHD
         BR    14
SIMSPEC  LA    15,6
         B     SIMFAIL
*
* PSW
*
LPSW     BAL   14,FETCHD
         MVC   NEWPSW,OPERAND
         BAL   14,LOADPSW
         B     SIMDONE
*
SSM      LA    15,19               Special operation, if CR0 says so
         TM    VCR,X'40'
         BO    SIMFAIL
         SR    0,0
         LA    1,1
         BAL   14,FETCHAL
         MVC   VPSW(1),OPERAND
NEWMASK  TM    VPSW+1,X'08'        In EC mode a mask may be bad: it has
         BZ    SIMDONE             been changed even so.
         TM    VPSW,X'B8'
         BZ    SIMDONE
         COUNT VSIMS
         OI    VFLAGS,PROGRESS
         B     SIMSPEC
*
STNSM    BAL   14,STOREMSK
         NC    VPSW(1),TEXT+1
         B     NEWMASK
STOSM    BAL   14,STOREMSK
         OC    VPSW(1),TEXT+1
         B     NEWMASK
STOREMSK MVC   OPERAND(1),VPSW
         SR    0,0
         LA    1,1
         B     STOREAL
*
SPKA     N     3,=X'000000F0'
         STC   3,WORK
         NI    VPSW+1,X'0F'
         OC    VPSW+1(1),WORK
         B     SIMDONE
IPK      MVC   VGPR+11(1),VPSW+1
         NI    VGPR+11,X'F0'
         B     SIMDONE
*
* Control registers. R1 = 4 x how many.
*
CONTROLS LA    0,3
         LR    1,8
         SR    1,7
         BNM   *+8
         LA    1,64(1)
         LA    1,4(1)
         BR    14
LCTL     BAL   14,CONTROLS
         ST    1,WORK
         BAL   14,FETCHAL
         SR    2,2
LCTLNEXT L     0,OPERAND(2)
         ST    0,VCR(7)
         BAL   14,NEXTCR
         B     LCTLNEXT
         B     SIMDONE
STCTL    BAL   14,CONTROLS
         ST    1,WORK
         SR    2,2
STCTNEXT L     0,VCR(7)
         ST    0,OPERAND(2)
         BAL   14,NEXTCR
         B     STCTNEXT
         L     1,WORK
         LA    0,3
         BAL   14,STOREAL
         B     SIMDONE
NEXTCR   LA    2,4(2)              Another one? Returns 4 bytes further
         LA    7,4(7)              on if not.
         C     7,=F'64'
         BNE   *+6
         SR    7,7
         C     2,WORK
         BNE   0(14)
         B     4(14)
*
* Translation
*
LRA      LTR   8,8
         BZ    *+12
         AL    3,VGPR(8)
         N     3,ADDRESS
         LR    2,3
         BAL   14,WALK
         LTR   15,15
         BZ    LRAOK
         CH    15,=H'16'
         BL    SIMFAIL
         CH    15,=H'17'
         BH    SIMFAIL
LRAOK    ST    2,VGPR(7)
         L     15,WCC
         B     SIMCC
*
PTLB     BAL   14,PURGE
         B     SIMDONE
*
* IPTE: the table and a virtual address; the entry is in guest real
* storage. It was IPTE's registers that are in the fourth byte.
*
IPTE     BAL   14,RRE
         L     1,VCR
         N     1,FORMAT
         LA    15,18
         LA    6,16                As in WALK
         LA    0,12
         CL    1,=X'00800000'
         BE    IPTEFORM
         LA    0,11
         CL    1,=X'00400000'
         BE    IPTEFORM
         LA    6,20
         CL    1,=X'00500000'
         BE    IPTEFORM
         LA    0,12
         CL    1,=X'00900000'
         BNE   SIMFAIL
IPTEFORM L     4,VGPR(7)           R4: the table
         N     4,PTOMASK
         L     5,VGPR(8)           R5: the page index
         LA    1,32
         SR    1,6
         SLL   5,0(1)
         SRL   5,0(1)
         LR    6,0
         SRL   5,0(6)
         LR    2,5
         SLL   2,1
         AR    2,4
         N     2,ADDRESS
         ST    2,LOCAT
         BAL   14,ABSOLUTE
         LTR   15,15
         BNZ   SIMFAIL
         IC    0,0(2)              (It is fetched before it is stored.)
         MVI   KIND,1
         SR    0,0
         IC    0,VPSW+1
         BAL   14,KEYOK
         LTR   15,15
         BNZ   SIMFAIL
         TM    VCR,X'10'
         BZ    IPTESET
         CLC   LOCAT,=F'512'
         LA    15,4
         BL    SIMFAIL
IPTESET  LA    0,8
         C     6,=F'12'
         BE    *+8
         LA    0,4
         STC   0,WORK
         OC    1(1,2),WORK
         BAL   14,DROPENT
         B     SIMDONE
*
* RRE: R7, R8 = 4 x the registers of instructions of that format, and
* SSK and ISK have them where RR instructions do.
*
RRE      SR    7,7
         IC    7,TEXT+3
         LR    8,7
         SRL   7,4
         SLL   7,2
         N     8,=F'15'
         SLL   8,2
         BR    14
*
SPX      LA    0,3
         LA    1,4
         BAL   14,FETCHAL
         L     4,OPERAND
         N     4,PAGEBITS
         LA    15,5
         CL    4,VSIZE
         BNL   SIMFAIL
         BAL   14,PURGE
         L     9,VREAL
         SR    2,2                 What real page 0 and the prefix page
         BAL   14,DROPPAGE         are is different from now on.
         L     2,VPREFIX
         BAL   14,DROPPAGE
         LR    2,4
         BAL   14,DROPPAGE
         ST    4,VPREFIX
         B     SIMDONE
STPX     MVC   OPERAND(4),VPREFIX
         LA    0,3
         LA    1,4
         BAL   14,STOREAL
         B     SIMDONE
*
* Storage keys. The guest's storage is its own alone: so its keys are
* the real ones of its blocks, and these instructions are executed, only
* elsewhere. KEYBLOCK: R2 = the block at guest real R2, or SIMFAIL.
*
KEYBLOCK ST    14,RFETCHD
         BAL   14,ABSOLUTE
         N     2,BLOCK
         LTR   15,15
         BNZ   SIMFAIL
         L     14,RFETCHD
         BR    14
SSK      L     2,VGPR(8)
         BAL   14,KEYNUMB
         BAL   14,KEYBLOCK
         L     0,VGPR(7)
         SSK   0,2
         B     SIMDONE
ISK      L     2,VGPR(8)
         BAL   14,KEYNUMB
         BAL   14,KEYBLOCK
         L     0,VGPR(7)
         ISK   0,2
         LA    1,X'FE'
         TM    VPSW+1,X'08'
         BO    *+8
         LA    1,X'F8'             BC mode: without reference, change
ISKGIVE  NR    0,1
         STC   0,VGPR+3(7)
         B     SIMDONE
KEYNUMB  LA    15,6                Bits 28-31 must be zero.
         LR    0,2
         N     0,=F'15'
         BNZ   SIMFAIL
         BR    14
RRB      LR    2,3
         BAL   14,KEYBLOCK
         RRB   0(2)
         BALR  15,0
RRBCC    SLL   15,2
         SRL   15,30
         B     SIMCC
*
* The extended ones act on a frame of 4K, two blocks.
*
FRAMEKEY ST    14,WORK
         BAL   14,RRE
         L     2,VGPR(8)
         N     2,PAGEBITS
         BAL   14,KEYBLOCK
         LA    3,2048(2)
         L     14,WORK
         BR    14
SSKE     BAL   14,FRAMEKEY
         L     0,VGPR(7)
         SSK   0,2
         SSK   0,3
         B     SIMDONE
ISKE     BAL   14,FRAMEKEY
         SR    0,0
         SR    1,1
         ISK   0,2
         ISK   1,3
         OR    0,1
         LA    1,X'FE'
         B     ISKGIVE
RRBE     BAL   14,FRAMEKEY
         RRB   0(2)
         BALR  4,0
         RRB   0(3)
         BALR  15,0
         OR    15,4
         B     RRBCC
*
* TEST PROTECTION: may a program with the key of the second address use
* the first one? Condition code 0: fetch and store, 1: fetch, 2: neither
* 3: there is no such page.
*
TPROT    LR    2,3
         XC    WSTE,WSTE
         ST    3,LOCAT
         TM    VPSW+1,X'08'
         BZ    TPREAL
         TM    VPSW,X'04'
         BZ    TPREAL
         BAL   14,WALK
         LTR   15,15
         BZ    TPREAL
         CH    15,=H'16'
         BL    SIMFAIL
         CH    15,=H'17'
         BH    SIMFAIL
         LA    15,3
         B     SIMCC
TPREAL   BAL   14,ABSOLUTE
         LTR   15,15
         BNZ   SIMFAIL
         MVC   TEXT+2(2),TEXT+4    The second address
         BAL   14,ADDRESS2
         TM    WSTE+3,X'04'
         BO    TPFETCH
         TM    VCR,X'10'
         BZ    TPSTORE
         CLC   LOCAT,=F'512'
         BL    TPFETCH
TPSTORE  MVI   KIND,1
         LR    0,3
         BAL   14,KEYOK
         LTR   15,15
         BZ    SIMCC
TPFETCH  MVI   KIND,0
         LR    0,3
         BAL   14,KEYOK
         LTR   15,15
         LA    15,1
         BZ    SIMCC
         LA    15,2
         B     SIMCC
*
* Clocks
*
STCK     BAL   14,TIME
         LM    4,5,NOW
         ADD64 VEPOCH
         STM   4,5,OPERAND
         LR    2,3
         LA    1,8
         BAL   14,STORE
         LTR   15,15
         BNZ   SIMFAIL
         B     SIMCC
SCK      BAL   14,FETCHD
         BAL   14,TIME
         LM    4,5,OPERAND
         SUB64 NOW
         STM   4,5,VEPOCH
         BAL   14,COMPDUE
         SR    15,15
         B     SIMCC
SCKC     BAL   14,FETCHD
         MVC   VCOMP,OPERAND
         MVI   VCOMP+7,0
         BAL   14,COMPDUE
         B     SIMDONE
STCKC    MVC   OPERAND(8),VCOMP
         BAL   14,STOREDW
         B     SIMDONE
SPT      BAL   14,FETCHD
         BAL   14,TIME
         LM    4,5,OPERAND
         ADD64 NOW
         STM   4,5,VTIMER
         STM   4,5,VTIMEDUE
         TM    OPERAND,X'80'       Negative already?
         BZ    SPTLATER
         XC    VTIMEDUE,VTIMEDUE
         B     SIMDONE
SPTLATER CL    4,NOW               Never, that is
         BNL   SIMDONE
         MVC   VTIMEDUE,FOREVER
         B     SIMDONE
STPT     BAL   14,TIME
         LM    4,5,VTIMER
         SUB64 NOW
         STM   4,5,OPERAND
         BAL   14,STOREDW
         B     SIMDONE
*
* COMPDUE: VCOMPDUE, by our clock, of VCOMP, which is by the guest's.
* Changes R0, R1, R4, R5.
*
COMPDUE  MVC   VCOMPDUE,VCOMP
         OC    VEPOCH,VEPOCH
         BCR   8,14
         LR    1,14
         BAL   14,TIME
         LR    14,1
         LM    4,5,NOW
         ADD64 VEPOCH              The guest's time
         STM   4,5,WORK
         XC    VCOMPDUE,VCOMPDUE
         CLC   WORK(8),VCOMP
         BHR   14                  is past that already;
         LM    4,5,VCOMP
         SUB64 WORK                or how long from now?
         ADD64 NOW
         STM   4,5,VCOMPDUE
         CLC   VCOMPDUE,NOW
         BNLR  14
         MVC   VCOMPDUE,FOREVER
         BR    14
*
* The CPU itself. There is one, and its address is 0.
*
STIDP    MVC   OPERAND(8),=X'FD00262330330000'
         BAL   14,STOREDW
         B     SIMDONE
STAP     XC    OPERAND(2),OPERAND
         LA    0,1
         LA    1,2
         BAL   14,STOREAL
         B     SIMDONE
DIAG     LA    15,6
         B     SIMFAIL
*
* SIGNAL PROCESSOR: R8 has the CPU, R3 is the order.
*
SIGP     LH    1,VGPR+2(8)
         LA    15,3
         LTR   1,1
         BNZ   SIMCC
         N     3,=F'255'
         C     3,=F'12'
         BH    SIGPNO
         SLL   3,2
         B     *+4(3)
         B     SIGPNO              0
         B     SIGPSENS            1: sense
         B     SIGPCALL            2: external call
         B     SIGPEMER            3: emergency signal
         B     SIGPOK              4: start
         B     SIGPSTOP            5: stop
         B     SIGPREST            6: restart
         B     SIGPSTOP            7: resets: it would be stopped, and
         B     SIGPSTOP            8  nobody could start it
         B     SIGPSTOP            9: stop and store status
         B     SIGPNO              A
         B     SIGPSTOP            B
         B     SIGPSTOP            C
SIGPSENS TM    VEXT,EXTCALL
         BZ    SIGPOK
SIGPBUSY LA    0,X'80'             An external call is pending.
         B     SIGPSTAT
SIGPCALL TM    VEXT,EXTCALL
         BO    SIGPBUSY
         OI    VEXT,EXTCALL
         B     SIGPOK
SIGPEMER OI    VEXT,EXTEMERG
         B     SIGPOK
SIGPREST LA    1,8
         BAL   14,REFLECT
         COUNT VSIMS
         OI    VFLAGS,PROGRESS
         B     DISPATCH
SIGPSTOP MVI   VSTATUS,STOPPED
SIGPOK   SR    15,15
         B     SIMCC
SIGPNO   LA    0,2                 There is no such order.
SIGPSTAT ST    0,VGPR(7)
         LA    15,1
         B     SIMCC
*
*----------------------------------------------------------------------
* Input and output
*----------------------------------------------------------------------
*
         USING DEV,9
*
* Never forget: while a program runs the device is the guest's whose
* program it is; its end has to reach that guest, whoever has control
* when it comes.
*
* The instructions. FINDDEV: R9 = the guest's device with the address in
* R3; without one the condition code is 3.
*
FINDDEV  STH   3,WORK
         L     9,VDEVS
FINDTEST LTR   9,9
         BZ    IOCC3
         CLC   DVADDR,WORK
         BER   14
         L     9,DVNEXT
         B     FINDTEST
IOCC3    LA    15,3
         B     SIMCC
IOCC2    LA    15,2
         B     SIMCC
IOCC1    LA    15,1
         B     SIMCC
IOCC0    SR    15,15
         B     SIMCC
*
* START I/O (also FAST RELEASE): the guest's channel program, copied and
* with our addresses, is started, or waits until the device has done
* what others asked for. (A status of the last program that the guest
* has not taken is forgotten then.)
*
SIO      BAL   14,FINDDEV
         TM    DVFLAGS,BUSY
         BO    IOCC2
         COUNT NSIO
         BAL   14,LOWGUEST
         USING LOW,1
         MVC   DVCAW,LCAW
         DROP  1
         NI    DVPEND,PENDATT
         BAL   14,TRANSL
         BAL   14,INUSE
         LTR   8,8
         BZ    SIOSTART
         OI    DVFLAGS,BUSY+QUEUED
         BAL   14,ARRIVE
         B     IOCC0
SIOSTART BAL   14,STARTIO
         LTR   15,15
         BZ    SIMCC
         C     15,=F'1'
         BNE   SIMCC
         MVC   RCSW,CSW
         BAL   14,CSWBACK
         BAL   14,LOWGUEST
         USING LOW,1
         MVC   LCSW+4(2),RCSW+4    Status alone
         B     IOCC1
*
* TEST I/O, CLEAR I/O
*
TIO      BAL   14,FINDDEV
TIOPEND  CLI   DVPEND,0
         BE    TIOBUSY
         BAL   14,TAKECSW
         BAL   14,LOWGUEST
         MVC   LCSW,RCSW
         DROP  1
         B     IOCC1
TIOBUSY  TM    DVFLAGS,BUSY
         BO    IOCC2
         BAL   14,INUSE            Others use it: it is ready, for us.
         LTR   8,8
         BNZ   IOCC0
         BAL   14,LOWOPEN
         LH    2,DVREAL
         TIO   0(2)
         BC    8,IOCC0
         BC    1,IOCC3
         BC    2,IOCC2
         LR    8,9
         BAL   14,IOTAKE           It has something for somebody.
         LR    9,8
         CLI   DVPEND,0
         BNE   TIOPEND
         B     IOCC0
*
* HALT I/O, HALT DEVICE
*
HIO      BAL   14,FINDDEV
         TM    DVFLAGS,QUEUED
         BO    IOCC2
         TM    DVFLAGS,BUSY
         BO    HIOREAL
         CLI   DVPEND,0
         BNE   IOCC0
         BAL   14,INUSE
         LTR   8,8
         BNZ   IOCC0
HIOREAL  BAL   14,LOWOPEN
         MVC   CSW,FOREVER         (to see what it stores)
         LH    2,DVREAL
         TM    TEXT+1,1
         BO    HDVREAL
         HIO   0(2)
         B     HALTED
HDVREAL  HDV   0(2)
HALTED   BALR  15,0
         SLL   15,2
         SRL   15,30
         C     15,=F'1'
         BNE   SIMCC
         MVC   RCSW,CSW
         BAL   14,CSWBACK
         BAL   14,LOWGUEST
         USING LOW,1
         MVC   LCSW+4(2),RCSW+4
         CLI   CSW+3,X'FF'
         BE    IOCC1
         MVC   LCSW,RCSW
         DROP  1
         B     IOCC1
*
* TEST CHANNEL, STORE CHANNEL ID: R9 = a device on that channel
*
TCH      BAL   14,ONCHAN
TCHNEXT  CLI   DVPEND,0
         BNE   IOCC1
         L     9,DVNEXT
         BAL   14,ONCHAN2
         B     TCHNEXT
         LH    2,WORK+2            What the real one says; what is
         TCH   0(2)                pending there is not the guest's.
         BC    8+4,IOCC0
         BC    2,IOCC2
         B     IOCC3
STIDC    BAL   14,ONCHAN
         BAL   14,LOWOPEN
         LH    2,DVREAL
         STIDC 0(2)
         BALR  15,0
         SLL   15,2
         SRL   15,30
         LTR   15,15
         BNZ   SIMCC
         BAL   14,LOWGUEST
         USING LOW,1
         MVC   LCHANID,CHANID
         DROP  1
         B     SIMCC
ONCHAN   STH   3,WORK
         L     9,VDEVS
         LA    0,IOCC3
         B     ONCHTEST
ONCHAN2  LA    0,0
ONCHTEST LTR   9,9
         BZ    ONCHNONE
         CLC   DVADDR(1),WORK
         BE    ONCHTHIS
         L     9,DVNEXT
         B     ONCHTEST
ONCHTHIS MVC   WORK+2(2),DVREAL
         BR    14
ONCHNONE LTR   1,0
         BZ    4(14)
         BR    1
*
* LOWGUEST: R1 = where the guest's low storage is.
*
LOWGUEST L     1,VPREFIX
         A     1,VORIGIN
         BR    14
*
* LOWOPEN: our low storage is not protected any longer, as the guest may
* have asked us to protect its own. Changes R0, R4, R5.
*
LOWOPEN  LM    4,5,HVCR0
         N     4,=X'EFFFFFFF'
         B     LOADCRS
*
* ARRIVE: gives R9 a number in order of arrival. Changes R0.
*
ARRIVE   LA    0,1
         A     0,SEQUENCE
         ST    0,SEQUENCE
         ST    0,DVSEQ
         BR    14
*
* INUSE: R8 = the device, of whatever guest, whose program is running on
* the real device of R9, or 0.
*
INUSE    L     8,=A(DEVPOOL)
INUSENXT C     8,DEVEND
         BNL   INUSENO
         CLC   DVREAL,DVREAL-DEV(8)
         BNE   INUSEALS
         TM    DVFLAGS-DEV(8),BUSY
         BZ    INUSEALS
         TM    DVFLAGS-DEV(8),QUEUED
         BCR   8,14
INUSEALS LA    8,LDEV(8)
         B     INUSENXT
INUSENO  SR    8,8
         BR    14
*
* STARTIO: starts the copy. R15 = condition code of SIO. Changes R0-R5.
*
STARTIO  BEGIN
         BAL   14,LOWOPEN
         L     1,DVAREA
         MVC   CAW,DVCAW
         NI    CAW,X'F0'
         STCM  1,7,CAW+1
         NI    DVFLAGS,255-BUSY-QUEUED
         L     1,=A(DEVPOOL)       It was the last to use it.
STARTLST CLC   DVREAL,DVREAL-DEV(1)
         BNE   *+8
         NI    DVFLAGS-DEV(1),255-LASTUSER
         LA    1,LDEV(1)
         C     1,DEVEND
         BL    STARTLST
         OI    DVFLAGS,LASTUSER
         LH    2,DVREAL
         SIO   0(2)
         BALR  15,0
         SLL   15,2
         SRL   15,30
         LTR   15,15
         BNZ   STARTED
         OI    DVFLAGS,BUSY
STARTED  RETURN STARTIO
*
* IOTAKE: the real device R2 has a status, in CSW. Whose is it? That of
* whose program is running there; or was the last one. The operator's
* request is the first guest's. Changes R0-R9, R13.
*
IOTAKE   BEGIN
         ST    13,IOSAVE
         STH   2,WORK
         MVC   RCSW,CSW
         SR    8,8                 R8: the first, R7: the last user,
         SR    7,7                 R6: who runs there
         SR    6,6
         L     9,=A(DEVPOOL)
IOFIND   C     9,DEVEND
         BNL   IOFOUND
         CLC   DVREAL,WORK
         BNE   IOFNEXT
         LTR   8,8
         BNZ   *+6
         LR    8,9
         TM    DVFLAGS,LASTUSER
         BZ    *+6
         LR    7,9
         TM    DVFLAGS,BUSY
         BZ    IOFNEXT
         TM    DVFLAGS,QUEUED
         BO    IOFNEXT
         LR    6,9
IOFNEXT  LA    9,LDEV(9)
         B     IOFIND
IOFOUND  CLC   RCSW+4(2),=X'8000'  The request key
         BE    IOFIRST
         LTR   9,6
         BNZ   IORUNS
         LTR   9,7
         BNZ   IOALONE
IOFIRST  LTR   9,8
         BZ    IOTAKEN             Nobody's
IOALONE  L     13,DVVM
         BAL   14,CSWBACK
         MVC   DVACSW,RCSW
         OI    DVPEND,PENDATT
         B     IOTELL
IORUNS   L     13,DVVM
         BAL   14,CSWBACK
         CLC   RCSW+4(2),=X'0080'
         BNE   IOENDS
         MVC   DVPCSW,RCSW         It goes on.
         OI    DVPEND,PENDPCI
         B     IOTELL
IOENDS   MVC   DVECSW,RCSW
         OI    DVPEND,PENDEND
         NI    DVFLAGS,255-BUSY
IOTELL   BAL   14,ARRIVE
         OI    VFLAGS,IOPEND+LOOK
*
* If the device has become free: the next one in its queue. What cannot
* be started, though its guest was told that it was, ends with an
* interface control check.
*
IONEXT   BAL   14,INUSE
         LTR   8,8
         BNZ   IOTAKEN
         SR    7,7
         L     1,=A(DEVPOOL)
IOQUEUE  C     1,DEVEND
         BNL   IOQUEUED
         CLC   DVREAL,DVREAL-DEV(1)
         BNE   IOQNEXT
         TM    DVFLAGS-DEV(1),QUEUED
         BZ    IOQNEXT
         LTR   7,7
         BZ    IOQBEST
         CLC   DVSEQ-DEV(4,1),DVSEQ-DEV(7)
         BNL   IOQNEXT
IOQBEST  LR    7,1
IOQNEXT  LA    1,LDEV(1)
         B     IOQUEUE
IOQUEUED LTR   9,7
         BZ    IOTAKEN
         BAL   14,STARTIO
         LTR   15,15
         BZ    IOTAKEN
         MVC   DVECSW,=X'0000000000020000'
         OI    DVPEND,PENDEND
         L     13,DVVM
         OI    VFLAGS,IOPEND+LOOK
         B     IONEXT
IOTAKEN  L     13,IOSAVE
         RETURN IOTAKE
*
* CSWBACK: RCSW, which speaks of the copy of the program of R9, as the
* guest would have got it: the address of its own CCW, and what a CCW of
* ours that had to fail would have been told there. Changes R0-R2, R4,
* R5.
*
CSWBACK  L     1,RCSW
         N     1,ADDRESS
         L     4,DVAREA
         USING AREA,4
         SR    1,4
         S     1,=F'8'             R1: 8 x the number of the CCW
         BMR   14
         C     1,DVN
         BNLR  14
         LR    2,1
         SRL   2,1
         L     0,ARFROM(2)
         A     0,=F'8'
         STCM  0,7,RCSW+1
         SRL   2,2
         TM    RCSW+5,X'20'
         BZ    BACKCHAR
         LA    5,ARSTAT(2)
         CLI   0(5),0
         BE    BACKCHAR
         NI    RCSW+5,255-X'20'
         OC    RCSW+5(1),0(5)
*
* A disk that is divided has told how many blocks there are in all: the
* guest is to read how many are its own.
*
BACKCHAR L     2,DVCHARAT
         LTR   2,2
         BMR   14
         CR    1,2
         BLR   14
         BH    BACKSET
         TM    RCSW+4,X'F3'
         BCR   7,14
         TM    RCSW+5,X'BF'
         BCR   7,14
BACKSET  L     2,DVCHARS
         MVC   14(4,2),DVBLOCKS
         BR    14
         DROP  4
*
*----------------------------------------------------------------------
* Channel programs
*----------------------------------------------------------------------
*
* A channel knows absolute addresses of our machine, and no guests. So
* the guest's channel program is copied when it is started: each area of
* data becomes a list of indirect addresses (IDAWs), one for each 2K;
* transfers lead to the copy of their target, so that loops remain
* loops; and places on a disk that is divided are moved to where the
* guest's part is. Keys need nothing: the blocks have the guest's, and
* the channel is given the guest's.
*
* What is wrong with a program has to come out where it would have come
* out: there the copy has something that the channel refuses as well. A
* program that changes itself while it runs is not followed.
*
* TRANSL: copies the program of device R9. Changes R0-R8, R15.
*
CD       EQU   X'80'               flags of a CCW: chain data,
CC       EQU   X'40'               chain command,
SKIP     EQU   X'10'
IDA      EQU   X'04'               indirect
PROGCHK  EQU   X'20'               channel status
PROTCHK  EQU   X'10'
*
         USING AREA,6
TRANSL   BEGIN
         L     6,DVAREA
         XC    CPN(12),CPN         CPIDAWS and CPPARMS, too
         MVC   CPKEY,DVCAW
         NI    CPKEY,X'F0'
         XC    CPPREV(3),CPPREV    CPCHAIN and CPTIC, too
         MVI   CPEXTENT,0
         L     0,=F'-1'
         ST    0,DVCHARAT
         L     1,DVCAW
         N     1,ADDRESS
         ST    1,CPAT
CPNEXT   CLC   CPN,=A(CCWMOST-24)
         BH    CPFULL
         L     2,CPAT
         LA    0,7
         LA    1,8
         BAL   14,CCWFETCH
         LTR   15,15
         BNZ   CPSTOP
         MVC   CPCCW,OPERAND
         MVI   CPSTAT,0
         IC    1,CPCCW
         N     1,=F'15'
         C     1,=F'8'
         BNE   CPCMD
*
* A transfer in channel (TIC): to the copy of its target, if there is
* one, else to the next CCW of the copy, where the target will be. Two
* in a row are refused, which the channel sees.
*
         L     2,CPCCW
         N     2,ADDRESS           R2: the target
         ST    2,CPDATA
         L     3,CPN
         LA    3,8(3)              R3: where its copy is, or will be
         SR    5,5                 R5: X'FF': it is there already
         CLI   CPTIC,0
         BNE   CPTICPUT
         LA    1,ARFROM
         SR    4,4
CPTICFND C     4,CPN
         BNL   CPTICPUT
         C     2,0(1)
         BE    CPTICOLD
         LA    4,8(4)
         LA    1,4(1)
         B     CPTICFND
CPTICOLD LR    3,4
         LA    5,X'FF'
CPTICPUT AR    3,6
         N     2,=F'7'
         BZ    *+8
         LA    3,1(3)              As wrong as the guest's
         STCM  3,7,CPCCW+1
         BAL   14,PUTCCW
         LTR   2,2
         BNZ   CPEND
         LTR   5,5
         BNZ   CPEND
         CLI   CPTIC,0
         BNE   CPEND
         MVI   CPTIC,1
         MVC   CPAT,CPDATA
         B     CPNEXT
*
* Any other: what is to be done depends on the command; while data are
* chained that is the one before.
*
CPCMD    MVI   CPTIC,0
         CLI   CPCHAIN,0
         BE    *+10
         MVC   CPCCW(1),CPPREV
         CLI   CPCCW,X'03'         No-operation
         BE    CPPLAIN
         CLC   CPCCW+6(2),=H'0'
         BE    CPPLAIN
         CLI   CPCHAIN,0
         BNE   CPAREA
         TM    DVFLAGS,DIVIDED
         BZ    CPAREA
         CLI   CPCCW,X'63'
         BE    CPEXT
         CLI   CPCCW,X'64'
         BE    CPCHARS
         CLI   CPCCW,X'02'
         BNE   CPAREA
         CLI   CPPREV,0
         BE    CPIPL
         CLI   CPPREV,X'02'
         BE    CPIPL
CPAREA   BAL   14,PUTDATA
         B     CPMORE
CPPLAIN  BAL   14,PUTCCW
         B     CPMORE
CPEXT    BAL   14,EXTENT
         B     CPMORE
*
* Device characteristics: the guest will read the number of blocks of
* the whole disk, and CSWBACK corrects it where it is in one place.
*
CPCHARS  CLC   CPCCW+6(2),=H'18'
         BL    CPAREA
         TM    CPCCW+4,IDA+SKIP
         BNZ   CPAREA
         L     2,CPCCW
         N     2,ADDRESS
         LA    0,18(2)
         C     0,VSIZE
         BH    CPAREA
         A     2,VORIGIN
         ST    2,DVCHARS
         MVC   DVCHARAT,CPN
         B     CPAREA
*
* Read IPL: block 0 of the part, with all of it as extent. Three
* commands of the real disk.
*
CPIPL    MVC   CPSAVE,CPCCW
         CLI   CPEXTENT,0
         BNE   CPIPLLOC
         MVI   CPEXTENT,1
         XC    CPPARM(16),CPPARM
         MVC   CPPARM+4(4),DVFIRST
         L     0,DVBLOCKS
         BCTR  0,0
         ST    0,CPPARM+12
         MVC   CPCCW,=X'6300000040000010'
         BAL   14,PUTPARM
CPIPLLOC MVC   CPPARM(8),=X'0600000100000000'
         MVC   CPCCW,=X'4300000040000008'
         BAL   14,PUTPARM
         MVC   CPCCW,CPSAVE
         MVI   CPCCW,X'42'
         BAL   14,PUTDATA
         MVI   CPCCW,X'02'
*
* What comes next?
*
CPMORE   MVC   CPPREV,CPCCW
         MVI   CPCHAIN,0
         TM    CPCCW+4,CD
         BZ    *+8
         MVI   CPCHAIN,CD
         TM    CPCCW+4,CD+CC
         BZ    CPEND
         L     2,CPAT
         LA    2,8(2)
         N     2,ADDRESS
         ST    2,CPAT
         B     CPNEXT
CPFULL   SR    15,15               Too long for us
CPSTOP   STC   15,CPSTAT
         BAL   14,PUTSTOP
CPEND    MVC   DVN,CPN
         RETURN TRANSL
*
* CCWFETCH: OPERAND = R1 bytes at R2, guest absolute, for the channel,
* on the boundary that R0 tells. R15 = 0 or a channel status. Changes
* R0-R2.
*
CCWFETCH BEGIN
         LA    15,PROGCHK
         NR    0,2
         BNZ   CCWFETD
         LR    0,2
         AR    0,1
         CL    0,VSIZE
         BH    CCWFETD
         A     2,VORIGIN
         LR    4,1
         MVI   KIND,0
         SR    0,0
         IC    0,CPKEY
         BAL   14,KEYOK
         LTR   15,15
         LA    15,PROTCHK
         BNZ   CCWFETD
         BCTR  4,0
         EX    4,FETCHA
         SR    15,15
CCWFETD  RETURN CCWFETCH
*
* PUTCCW: the next CCW of the copy is CPCCW, made from the one at CPAT.
* PUTSTOP: is one that the channel refuses, as its count is 0. Change
* R0, R1.
*
PUTSTOP  MVC   CPCCW,=X'0300000000000000'
PUTCCW   L     1,CPN
         LA    0,ARCCWS(1)
         STM   2,3,WORK
         LR    2,0
         MVC   0(8,2),CPCCW
         LR    2,1
         SRL   2,1
         L     0,CPAT
         ST    0,ARFROM(2)
         SRL   2,2
         LA    2,ARSTAT(2)
         MVC   0(1,2),CPSTAT
         LA    1,8(1)
         ST    1,CPN
         LM    2,3,WORK
         BR    14
*
* PUTPARM: the same with the data in CPPARM. Changes R0-R2.
*
PUTPARM  L     2,CPPARMS
         LA    1,ARPARMS(2)
         LA    2,16(2)
         C     2,=A(PARMMOST)
         BH    PUTSTOP
         ST    2,CPPARMS
         MVC   0(16,1),CPPARM
         STCM  1,7,CPCCW+1
         NI    CPCCW+4,255-IDA
         B     PUTCCW
*
* PUTDATA: the same with its area of data. An IDAW that no channel
* accepts stands for what is not in the guest's storage. Changes R0-R5,
* R7, R15.
*
PUTDATA  BEGIN
         L     2,CPCCW
         N     2,ADDRESS
         ST    2,CPDATA
         ST    2,CPLIST
         SR    0,0
         ICM   0,3,CPCCW+6
         ST    0,CPLEFT
         MVC   CPSAVE,CPCCW
         TM    CPCCW+4,SKIP        Nothing will be looked at.
         BZ    DATALIST
         NI    CPCCW+4,255-IDA
         XC    CPCCW+1(3),CPCCW+1
         B     DATAPUT
DATALIST L     2,CPIDAWS
         LA    7,ARIDAWS(2)        R7: the next IDAW
         STCM  7,7,CPCCW+1
         OI    CPCCW+4,IDA
         TM    CPSAVE+4,IDA
         BO    DATAIDA
DATANEXT L     2,CPDATA
         LA    3,2048
         LR    4,2
         N     4,=F'2047'
         SR    3,4                 R3: so much in this block
         C     3,CPLEFT
         BNH   *+8
         L     3,CPLEFT
         LR    0,2
         AR    0,3
         LR    4,2
         A     4,VORIGIN
         CL    0,VSIZE
         BNH   DATAIN
DATABAD  L     4,=X'FF000000'
         SR    3,3
         XC    CPLEFT,CPLEFT
DATAIN   L     1,CPIDAWS
         C     1,=A(IDAMOST)
         BNL   PUTSTOP2
         LA    1,4(1)
         ST    1,CPIDAWS
         ST    4,0(7)
         LA    7,4(7)
         AR    2,3
         ST    2,CPDATA
         L     0,CPLEFT
         SR    0,3
         ST    0,CPLEFT
         BNP   DATAPUT
         TM    CPSAVE+4,IDA
         BZ    DATANEXT
         N     2,=F'2047'          Indirect: a new block, a new address
         BNZ   DATANEXT
DATAIDA  L     2,CPLIST
         LA    0,4(2)
         ST    0,CPLIST
         LA    0,3
         LA    1,4
         BAL   14,CCWFETCH
         STC   15,CPSTAT
         LTR   15,15
         BNZ   DATABAD
         L     2,OPERAND
         ST    2,CPDATA
         CL    2,ADDRESS
         BH    DATAWRNG
         N     2,=F'2047'          All but the first: on a block
         BZ    DATANEXT
         CLC   CPSAVE+6(2),CPLEFT+2
         BE    DATANEXT
DATAWRNG MVI   CPSTAT,PROGCHK
         B     DATABAD
DATAPUT  BAL   14,PUTCCW
         MVC   CPCCW,CPSAVE
         MVI   CPSTAT,0
         RETURN PUTDATA
PUTSTOP2 BAL   14,PUTSTOP
         MVC   CPCCW,CPSAVE
         NI    CPCCW+4,255-CD-CC   It ends here.
         RETURN PUTDATA
*
* EXTENT: define extent, of a disk that is divided. Within the part: its
* place on the real disk; otherwise a place that no disk has. What is
* not in one piece is left to the disk, if too short, or refused.
*
EXTENT   BEGIN
         L     2,CPCCW
         N     2,ADDRESS
         TM    CPCCW+4,CD
         BO    EXTNO
         CLC   CPCCW+6(2),=H'16'
         BL    EXTSHORT
         BH    EXTNO
         TM    CPCCW+4,IDA
         BZ    EXTDIR
         LA    0,3
         LA    1,4
         BAL   14,CCWFETCH
         LTR   15,15
         BNZ   EXTSHORT
         L     2,OPERAND
         CL    2,ADDRESS
         BH    EXTSHORT
         LR    1,2
         N     1,=F'2047'
         C     1,=F'2032'
         BH    EXTSHORT
EXTDIR   SR    0,0
         LA    1,16
         LR    3,2
         BAL   14,CCWFETCH
         LTR   15,15
         BNZ   EXTSHORT
         MVC   CPPARM(16),OPERAND
         LA    2,15(3)             Its end may be in another block.
         SR    0,0
         LA    1,1
         BAL   14,CCWFETCH
         LTR   15,15
         BNZ   EXTSHORT
         LM    2,4,CPPARM+4        Place, first, last block
         SLR   4,3                 Blocks, minus 1
         CL    2,DVBLOCKS
         BNL   EXTOUT
         CLC   CPPARM+12(4),CPPARM+8
         BL    EXTOUT
         L     5,DVBLOCKS
         SLR   5,2
         CLR   4,5
         BNL   EXTOUT
         AL    2,DVFIRST
         B     EXTSET
EXTOUT   L     2,=F'-1'
EXTSET   ST    2,CPPARM+4
         MVC   CPSAVE,CPCCW
         BAL   14,PUTPARM
         MVC   CPCCW,CPSAVE
         RETURN EXTENT
EXTSHORT BAL   14,PUTDATA
         RETURN EXTENT
EXTNO    MVC   CPSAVE,CPCCW
         BAL   14,PUTSTOP
         MVC   CPCCW,CPSAVE
         NI    CPCCW+4,255-CD-CC
         RETURN EXTENT
         DROP  6
*
* DIVIDE: gives each guest its part of disks that are to be divided. The
* disk tells how many blocks it has. Changes R0-R9.
*
DIVIDE   BEGIN
         L     9,=A(DEVPOOL)
DIVNEXT  C     9,DEVEND
         BNL   DIVIDED2
         L     13,DVVM
         OC    DVBLOCKS,DVBLOCKS   Somebody has said which part.
         BNZ   DIVSAID
         TM    DVFLAGS,DIVIDED
         BZ    DIVSKIP
         NI    DVFLAGS,255-DIVIDED
         CLC   HVGUESTS,=F'1'
         BE    DIVSKIP             All of it
         LA    0,DIVCCW
         ST    0,CAW
         LH    2,DVREAL
         SIO   0(2)
         BC    7,DIVSKIP           There is no such disk.
DIVWAIT  TIO   0(2)
         BC    2,DIVWAIT
         L     1,DIVCHARS+14
         SR    0,0
         D     0,HVGUESTS          Blocks for each
         ST    1,DVBLOCKS
         SR    2,2
         IC    2,VNUMBER
         MR    0,2
         ST    1,DVFIRST
DIVSAID  OI    DVFLAGS,DIVIDED
DIVSKIP  LA    9,LDEV(9)
         B     DIVNEXT
DIVIDED2 L     13,=A(VMS)
         RETURN DIVIDE
         DS    0D
DIVCCW   CCW   X'64',DIVCHARS,X'20',32
DIVCHARS DC    XL32'00'
         DROP  9
*
*----------------------------------------------------------------------
* The interpreter's table: for each opcode, and behind these for each
* second byte of opcode B2, the routine; 0: there is no such privileged
* instruction
*----------------------------------------------------------------------
*
         LTORG
         DS    0H
OPTABLE  DC    (256+48)AL2(0)
         PRIV  08,SSK
         PRIV  09,ISK
         PRIV  80,SSM
         PRIV  82,LPSW
         PRIV  83,DIAG
         PRIV  9C,SIO
         PRIV  9D,TIO
         PRIV  9E,HIO
         PRIV  9F,TCH
         PRIV  AC,STNSM
         PRIV  AD,STOSM
         PRIV  AE,SIGP
         PRIV  B1,LRA
         PRIV  B6,STCTL
         PRIV  B7,LCTL
         PRIV  E5,TPROT
         PRIV  102,STIDP
         PRIV  103,STIDC
         PRIV  104,SCK
         PRIV  105,STCK
         PRIV  106,SCKC
         PRIV  107,STCKC
         PRIV  108,SPT
         PRIV  109,STPT
         PRIV  10A,SPKA
         PRIV  10B,IPK
         PRIV  10D,PTLB
         PRIV  110,SPX
         PRIV  111,STPX
         PRIV  112,STAP
         PRIV  113,RRB
         PRIV  121,IPTE
         PRIV  129,ISKE
         PRIV  12A,RRBE
         PRIV  12B,SSKE
         ORG
*
*----------------------------------------------------------------------
* VM blocks, and devices of all guests, one behind the other
*----------------------------------------------------------------------
*
         DS    0D
VMS      DS    8CL(LVM)
NOBODY   DS    CL(LVM)
         DS    0D
DEVPOOL  DS    64CL(LDEV)
         ORG   HV+X'7FFF'
         DC    X'00'               (so that the image is that long)
GUEST0   EQU   *
         END   START
