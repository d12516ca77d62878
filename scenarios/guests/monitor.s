* monitor.s - one user at a typewriter, alone with the machine.
*
* Before there were operating systems there were monitors. (Not those
* that make virtual machines; these came later.) A monitor is a program
* in storage that takes commands from the typewriter, shows and changes
* storage, starts a program, and is there again when the program ends.
* This one runs in BC mode, that of System/360, without translation.
*
*    D address [length]   displays storage, in hexadecimal and as text
*    A address digits     alters storage
*    R                    displays PSW and registers of the program
*    G [address]          goes: starts the program there, or goes on
*    T                    tells the time since the start
*    E text               echoes
*    H                    helps
*    Q                    quits: a disabled wait at 000000
*
* The program gets storage from 002000 on. It runs in problem state and
* with key 1, and has two supervisor calls:
*
*    SVC 0   ends it
*    SVC 1   writes the line at register 1, its first byte its length
*
* Whatever it does, the monitor comes back: all interruptions lead
* here, and storage below 002000 has key 0, so that the program cannot
* store into it. For a program that never ends there are
*
*    the request key of the typewriter (attention), and the interrupt
*    key of the machine, which stop it at once;
*    the interval timer, the word at 80 that the machine counts down,
*    which stops it after 10 seconds.
*
* Storage                              Registers of the monitor
*
*   000000  low storage                   0-9    for work
*   000200  the monitor                   10     place in the command
*   001000  its data                      12     base of its data
*   002000  the program; a first one      14, 7  links
*           is there already              15     link of WRITE and READ
*
MONITOR  START 0
         USING MONITOR,0
         USING DATA,12
*
* A PSW in BC mode: channel masks and external mask; key, and X'04'
* machine checks, X'02' wait, X'01' problem state; in old PSWs, a code;
* condition code; address. The new ones have everything off.
*
         DC    A(0,START)          0: restart
         ORG   MONITOR+24
EXTOLD   DS    D                  24: old PSWs
SVCOLD   DS    D                  32
PGMOLD   DS    D                  40
         DS    D
IOOLD    DS    D                  56
CSW      DS    D                  64
CAW      DS    F                  72
         ORG   MONITOR+80
TIMER    DS    F                  80: interval timer
         ORG   MONITOR+88
         DC    A(0,EXTERNAL)      88: new PSWs
         DC    A(0,CALL)          96
         DC    A(0,PROGRAM)      104
         DC    X'0002000000000BAD'   112: machine check: stop
         DC    A(0,IO)           120
*
* The program, while it does not run. This has to lie where no base is
* needed: when an interruption comes, all registers are the program's,
* and they have to be so again when we go.
*
         ORG   MONITOR+X'180'
PROGPSW  DS    0CL8
         DC    X'81110000',A(PROG)
PROGREGS DC    16F'0'
*
*----------------------------------------------------------------------
* Start
*----------------------------------------------------------------------
*
         ORG   MONITOR+X'200'
START    L     12,=A(DATA)
         STCK  BOOT
*
* The storage from 002000 on is the program's: key 1. SET STORAGE KEY
* does that for a block of 2K. Where there is no block it ends with an
* addressing exception; TROUBLE says where to go then.
*
         MVC   TROUBLE,=A(STARTED)
         L     2,=A(PROG)
         LA    1,X'10'
BLOCK    SSK   1,2
         A     2,=F'2048'
         C     2,=X'01000000'
         BL    BLOCK
STARTED  LA    1,HELLO
         LA    2,L'HELLO
         BAL   15,WRITE
*
*----------------------------------------------------------------------
* The command loop
*----------------------------------------------------------------------
*
READY    L     12,=A(DATA)
         MVC   TROUBLE,=A(NOSTORE)
         LA    1,PROMPT
         LA    2,L'PROMPT
         BAL   15,WRITE
         BAL   15,READ
*
* To capital letters: in EBCDIC they have one bit more than small ones,
* and a blank is that bit alone.
*
         MVC   COMMAND,INPUT
         OC    COMMAND,=CL72' '
         LA    10,COMMAND+1
         LA    1,COMMANDS
FIND     CLC   COMMAND(1),0(1)
         BE    FOUND
         LA    1,8(1)
         CLI   0(1),X'FF'
         BNE   FIND
         B     WHAT
FOUND    L     1,4(1)
         BR    1
*
         DS    0F
COMMANDS DC    C'D   ',A(DISPLAY)
         DC    C'A   ',A(ALTER)
         DC    C'R   ',A(REGS)
         DC    C'G   ',A(GO)
         DC    C'T   ',A(TIME)
         DC    C'E   ',A(ECHO)
         DC    C'H   ',A(HELP)
         DC    C'Q   ',A(QUIT)
         DC    C'    ',A(READY)   An empty line.
         DC    X'FF'
         DS    0H
*
WHAT     LA    1,HUH
         LA    2,L'HUH
SAY      BAL   15,WRITE
         B     READY
*
* An access to storage that is not there, by a command.
*
NOSTORE  LA    1,NOTHING
         LA    2,L'NOTHING
         B     SAY
*
QUIT     LPSW  STOP
*
ECHO     LA    1,INPUT+2
         LH    2,LENGTH
         SH    2,=H'2'
         BP    SAY
         B     READY
*
HELP     LA    3,HELPS
HELPNEXT SR    2,2
         IC    2,0(3)            Length,
         LTR   2,2
         BZ    READY
         LA    1,1(3)            and text.
         LA    3,1(2,3)
         BAL   15,WRITE
         B     HELPNEXT
*
* The clock counts 4096 units in a microsecond.
*
TIME     STCK  NOW
         LM    2,3,NOW
         S     2,BOOT
         SL    3,BOOT+4
         BC    3,*+6             (a borrow)
         BCTR  2,0
         SRDL  2,12              Microseconds
         D     2,=F'1000'        Milliseconds
         CVD   3,PACKED
         MVC   SECONDS,PATTERN
         ED    SECONDS,PACKED+3
         LA    1,TIMELINE
         LA    2,L'TIMELINE
         B     SAY
*
* DISPLAY: 16 bytes a line.
*
DISPLAY  BAL   14,HEXIN
         BZ    WHAT
         LA    5,0(2)            R5: where,
         BAL   14,HEXIN
         LA    6,0(2)            R6: how many more.
         CH    6,=H'4096'
         BH    WHAT
         LTR   6,6
         BNZ   DISPLINE
         LA    6,16
DISPLINE MVI   LINE,C' '
         MVC   LINE+1(L'LINE-1),LINE
         ST    5,WORD
         BAL   14,HEXOUT
         MVC   LINE(6),HEX+2
         MVC   TEXT,0(5)         Here it may end: no such storage.
         LA    3,TEXT
         LA    4,LINE+8
         LA    7,4
DISPWORD MVC   WORD,0(3)
         BAL   14,HEXOUT
         MVC   0(8,4),HEX
         LA    3,4(3)
         LA    4,9(4)
         BCT   7,DISPWORD
         TR    TEXT,PRINTS       Characters, or points.
         MVC   LINE+45(16),TEXT
         LA    1,LINE
         LA    2,61
         BAL   15,WRITE
         LA    5,16(5)
         SH    6,=H'16'
         BP    DISPLINE
         B     READY
*
* ALTER: all digits that there are, two by two. Nothing is stored until
* all of them were read.
*
ALTER    BAL   14,HEXIN
         BZ    WHAT
         LA    5,0(2)
         SR    6,6               How many bytes.
ALTERGET LA    14,ALTERPUT       Where to go when there are no more:
         BAL   7,SKIP
         BAL   7,DIGIT
         LR    3,2
         LA    14,WHAT           one alone is wrong.
         BAL   7,DIGIT
         SLL   3,4
         OR    3,2
         LA    4,BYTES(6)
         STC   3,0(4)
         LA    6,1(6)
         B     ALTERGET
ALTERPUT SH    6,=H'1'
         BM    WHAT
         LA    4,COMMAND+L'COMMAND
         CLI   0(10),C' '        Did a blank end them, or a wrong one?
         BE    ALTERIT
         CR    10,4
         BL    WHAT
ALTERIT  EX    6,ALTERMVC
         B     READY
ALTERMVC MVC   0(0,5),BYTES
*
* REGISTERS: PSW, and 4 lines of 4.
*
REGS     MVI   LINE,C' '
         MVC   LINE+1(L'LINE-1),LINE
         MVC   LINE(3),=C'PSW'
         MVC   WORD,PROGPSW
         BAL   14,HEXOUT
         MVC   LINE+8(8),HEX
         MVC   WORD,PROGPSW+4
         BAL   14,HEXOUT
         MVC   LINE+17(8),HEX
         LA    1,LINE
         LA    2,25
         BAL   15,WRITE
         LA    5,PROGREGS
         LA    3,NAMES
REGLINE  MVC   LINE(8),0(3)
         LA    4,LINE+8
         LA    7,4
REGWORD  MVC   WORD,0(5)
         BAL   14,HEXOUT
         MVC   0(8,4),HEX
         LA    5,4(5)
         LA    4,9(4)
         BCT   7,REGWORD
         LA    1,LINE
         LA    2,43
         BAL   15,WRITE
         LA    3,8(3)
         CLI   0(3),X'FF'
         BNE   REGLINE
         B     READY
*
* GO: a PSW with the address, and with what SETTING says. The timer is
* set to 10 seconds, in units of 1/76800. It has gone negative before,
* perhaps, while nothing might interrupt; that interruption is pending
* yet. SET SYSTEM MASK lets it come, now that it does no harm.
*
GO       BAL   14,HEXIN
         BZ    GOON
         LA    2,0(2)
         ST    2,PROGPSW+4
GOON     MVC   PROGPSW(4),SETTING
         MVC   TIMER,=F'768000'
         SSM   =X'01'
         SSM   =X'00'
         LM    0,15,PROGREGS
         LPSW  PROGPSW
*
*----------------------------------------------------------------------
* Ways back from the program
*----------------------------------------------------------------------
*
* All of them save registers and PSW of the program, and go on at
* STOPPED with a reason in WHY.
*
PROGRAM  TM    PGMOLD+1,X'01'    Was it we ourselves?
         BO    ITSERROR
         L     1,TROUBLE         Yes: a command did what may go wrong.
         BR    1
ITSERROR STM   0,15,PROGREGS
         L     12,=A(DATA)
         MVC   PROGPSW,PGMOLD
         MVC   WHY,=CL24'PROGRAM INTERRUPTION'
         B     STOPPED
*
* In BC mode the code stands in the old PSW.
*
EXTERNAL TM    EXTOLD+1,X'01'    While the program was running?
         BO    TIMEOUT
         LPSW  EXTOLD            No: see GO.
TIMEOUT  STM   0,15,PROGREGS
         L     12,=A(DATA)
         MVC   PROGPSW,EXTOLD
         MVC   WHY,=CL24'EXTERNAL INTERRUPTION'
*
STOPPED  MVC   WORD,PROGPSW
         BAL   14,HEXOUT
         MVC   CODE,HEX+4
         MVC   WORD,PROGPSW+4
         BAL   14,HEXOUT
         MVC   WHERE,HEX+2
         LA    1,STOPLINE
         LA    2,L'STOPLINE
         B     SAY
*
* The second byte of the code is the number of the call.
*
CALL     STM   0,15,PROGREGS
         L     12,=A(DATA)
         MVC   PROGPSW,SVCOLD
         CLI   SVCOLD+3,1
         BE    CALL1
         MVC   WHY,=CL24'THE PROGRAM HAS ENDED'
         CLI   SVCOLD+3,0
         BE    STOPPED
         MVC   WHY,=CL24'SUPERVISOR CALL'
         B     STOPPED
CALL1    SR    2,2               Its address may be anything.
         IC    2,0(1)
         LTR   2,2
         BZ    CALLED
         LA    1,1(1)
         BAL   15,WRITE
CALLED   LM    0,15,PROGREGS
         LPSW  PROGPSW
*
*----------------------------------------------------------------------
* The typewriter
*----------------------------------------------------------------------
*
* WRITE: the R2 characters at R1. READ: a line to INPUT, LENGTH = how
* long it is. Both wait until it is done: WAITIO is a PSW that waits,
* and that channel 0 may interrupt. Change R9.
*
WRITE    ST    1,CCW
         MVI   CCW,X'09'
         MVI   CCW+4,X'20'       No matter if it is too long.
         STH   2,CCW+6
         B     STARTIO
READ     MVC   CCW(8),READCCW
         MVI   INPUT,C' '
         MVC   INPUT+1(L'INPUT-1),INPUT
STARTIO  LA    9,CCW
         ST    9,CAW
         SIO   X'009'
         BC    8,WAIT
         BC    1,BROKEN
POLL     TIO   X'009'            Busy, or it had something to say that
         BC    1,BROKEN          TEST I/O takes away: until it is free,
         BC    6,POLL            and again.
         B     STARTIO
WAIT     LPSW  WAITIO
BROKEN   LPSW  BADIO
*
* An I/O interruption: we waited, or the program was running.
*
IO       TM    IOOLD+1,X'02'
         BZ    ATTENTIO
         TM    CSW+5,X'3F'       A line that is not all in storage?
         BZ    *+10
         L     1,TROUBLE
         BR    1
         TM    CSW+4,X'02'       Unit check?
         BO    BROKEN
         TM    CSW+4,X'04'       Device end?
         BO    ENDED
         LPSW  IOOLD             Not yet: waiting again.
ENDED    DS    0H
         CLI   CCW,X'0A'
         BNER  15
         LH    9,CCW+6           What was read: the count without
         SH    9,CSW+6           what is left of it.
         STH   9,LENGTH
         BR    15
*
ATTENTIO STM   0,15,PROGREGS
         L     12,=A(DATA)
         MVC   PROGPSW,IOOLD
         MVC   WHY,=CL24'REQUEST KEY'
         B     STOPPED
*
*----------------------------------------------------------------------
* Hexadecimal numbers
*----------------------------------------------------------------------
*
* HEXIN: R2 = the number at R10, which moves behind it; condition code
* 0 when there is none. Changes R3, R7.
*
HEXIN    SR    3,3
         MVI   SOME,0            No digit so far.
         ST    14,LINK
         LA    14,HEXEND
         BAL   7,SKIP
HEXNEXT  BAL   7,DIGIT
         SLL   3,4
         OR    3,2
         MVI   SOME,1
         B     HEXNEXT
HEXEND   LR    2,3
         L     14,LINK
         CL    10,=A(COMMAND+L'COMMAND)
         BNL   HEXENDED
         CLI   0(10),C' '        What follows it is a blank?
         BNE   WHAT
HEXENDED DS    0H
         CLI   SOME,0
         BR    14
*
* SKIP: R10 to what is not a blank. DIGIT: R2 = the digit at R10, which
* moves. Both return to R7, but to R14 when there is none.
*
SKIP     CL    10,=A(COMMAND+L'COMMAND)
         BCR   11,14             (not below)
         CLI   0(10),C' '
         BNER  7
         LA    10,1(10)
         B     SKIP
*
DIGIT    CL    10,=A(COMMAND+L'COMMAND)
         BCR   11,14
         SR    2,2
         IC    2,0(10)
         CLI   0(10),C'A'
         BCR   4,14
         CLI   0(10),C'F'
         BNH   LETTER
         CLI   0(10),C'0'
         BCR   4,14
         CLI   0(10),C'9'
         BCR   2,14
         SH    2,=AL2(C'0')
         LA    10,1(10)
         BR    7
LETTER   SH    2,=AL2(C'A'-10)
         LA    10,1(10)
         BR    7
*
* HEXOUT: the digits of WORD to HEX.
*
HEXOUT   UNPK  HEX(9),WORD(5)
         TR    HEX,DIGITS-240
         BR    14
         LTORG
*
*----------------------------------------------------------------------
* Data
*----------------------------------------------------------------------
*
         ORG   MONITOR+X'1000'
DATA     EQU   *
BOOT     DS    D
NOW      DS    D
PACKED   DS    D
CCW      DC    D'0'
READCCW  CCW   X'0A',INPUT,X'20',72
WAITIO   DC    X'8002000000000000'
STOP     DC    X'0002000000000000'
BADIO    DC    X'0002000000000BAD'
*
SETTING  DC    X'81110000'       Channel 0, external; key 1, problem
TROUBLE  DS    A
LINK     DS    A
WORD     DS    F,X
SOME     DS    X
LENGTH   DS    H
HEX      DS    CL8,X
DIGITS   DC    C'0123456789ABCDEF'
INPUT    DS    CL72
COMMAND  DS    CL72
BYTES    DS    CL36
LINE     DS    CL72
TEXT     DS    CL16
*
HELLO    DC    C'MONITOR: H HELPS'
PROMPT   DC    C'READY'
HUH      DC    C'WHAT?'
NOTHING  DC    C'NO SUCH STORAGE'
STOPLINE DS    0CL38
WHY      DS    CL24
CODE     DS    CL4
         DC    C' AT '
WHERE    DS    CL6
TIMELINE DS    0CL19
SECONDS  DS    CL11
         DC    C' SECONDS'
PATTERN  DC    X'402020202021204B202020'   nnnnnn.nnn
NAMES    DC    CL8'R0-R3',CL8'R4-R7',CL8'R8-R11',CL8'R12-R15',X'FF'
         MACRO
&LABEL   TELL  &TEXT
&LABEL   DC    AL1(L'T&SYSNDX)
T&SYSNDX DC    C&TEXT
         MEND
HELPS    TELL  'D ADDRESS LENGTH     DISPLAYS STORAGE'
         TELL  'A ADDRESS DIGITS     ALTERS STORAGE'
         TELL  'R                    DISPLAYS REGISTERS'
         TELL  'G ADDRESS            GOES; WITHOUT ONE: GOES ON'
         TELL  'T                    TELLS THE TIME'
         TELL  'E TEXT               ECHOES'
         TELL  'Q                    QUITS'
         DC    AL1(0)
*
* What each byte is printed as: a point, unless it is a character.
*
PRINTS   DC    256C'.'
         ORG   PRINTS+C' '
         DC    C' '
         ORG   PRINTS+X'4B'
         DC    X'4B4C4D4E'       . < ( +
         ORG   PRINTS+X'5B'
         DC    X'5B5C5D5E'       $ * ) ;
         ORG   PRINTS+X'60'
         DC    X'6061'           - /
         ORG   PRINTS+X'6B'
         DC    X'6B6C6D6E6F'     , % _ > ?
         ORG   PRINTS+X'7A'
         DC    X'7A7B7C7D7E7F'   : # @ ' = "
         ORG   PRINTS+C'A'
         DC    C'ABCDEFGHI'
         ORG   PRINTS+C'J'
         DC    C'JKLMNOPQR'
         ORG   PRINTS+C'S'
         DC    C'STUVWXYZ'
         ORG   PRINTS+C'0'
         DC    C'0123456789'
*
*----------------------------------------------------------------------
* A program to begin with
*----------------------------------------------------------------------
*
         ORG   MONITOR+X'2000'
PROG     BALR  12,0
         DROP  12
         USING *,12
         LA    1,GREET
         SVC   1
         SVC   0
GREET    DC    AL1(L'GREETING)
GREETING DC    C'HELLO FROM 002000'
         END   START
