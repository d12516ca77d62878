* team.s - several CPUs: the primes below 2000, counted by all that there are.
*
* A machine may have several CPUs on one storage. When it is started, only
* CPU 0 operates. It starts the others by SIGNAL PROCESSOR (SIGP):
*
*   order 2  external call: an external interruption of the other CPU
*   order 6  restart: a restart interruption, which starts it
*
* and learns from the condition code how that went: 0 accepted; 2 the other
* CPU is still busy with an earlier order; 3 there is no such CPU.
*
* From then on all of them execute this same program. What they share they
* change by COMPARE AND SWAP (CS) only: it stores a new value if the old one
* is what it was when we looked, and otherwise shows us what is there now.
* No other CPU comes between its two halves. So nobody counts twice, and
* nobody has to hold a lock; CPUs that wait for a lock do nothing useful,
* and on a virtual CPU, whose owner may have lost its turn, they may have to
* wait for long.
*
* TOTAL and EACH are the results. The program does not print: look at them.
*
TEAM     START 0
         USING TEAM,0
*
* Low storage. It is common to all CPUs here: only CPU 0 will enable an
* interruption. A program in which all do gives each its own page 0, by SET
* PREFIX.
*
         DC    X'0008000000000200'   0: restart new PSW, of all CPUs
         ORG   TEAM+88
         DC    X'00080000',A(ALLDONE) 88: external new PSW - called
         DC    X'000A000000000E60'  96: SVC new PSW - not expected
         DC    X'000A000000000E68' 104: program new PSW - not expected
         DC    X'000A000000000E70' 112: machine check - not expected
         DC    X'000A000000000E78' 120: I/O new PSW - not expected
*
*----------------------------------------------------------------------
* Who am I?
*----------------------------------------------------------------------
         ORG   TEAM+X'200'
BEGIN    SR    1,1                  Register 1: this CPU's address.
         TS    STARTED              The first one to come here
         BC    8,HIRE               is CPU 0.
         L     1,NEXTCPU            The others are told their number,
         MVI   UP,1                 and say that they have it.
         B     WORK
*
*----------------------------------------------------------------------
* CPU 0 starts the others, until there are no more. LEFT is the number of
* those at work, CPU 0 among them.
*----------------------------------------------------------------------
HIRE     LA    2,1
HIRE1    ST    2,NEXTCPU
         MVI   UP,0
         LA    3,1
         BAL   14,ADDLEFT
AGAIN    SIGP  0,2,6                Restart it.
         BC    2,AGAIN              Busy: once more.
         BC    1,NOMORE             There is no such CPU.
HIRE2    CLI   UP,0                 Wait until it has its number.
         BE    HIRE2
         LA    2,1(,2)
         B     HIRE1
NOMORE   L     3,=F'-1'             One too many.
         BAL   14,ADDLEFT
*
*----------------------------------------------------------------------
* Everybody takes the next ten numbers, until there are no more.
*----------------------------------------------------------------------
WORK     SR    8,8                  Register 8: primes found.
TAKE     L     4,NEXTNO
TAKE1    LA    5,10(,4)
         CS    4,5,NEXTNO           Register 4: the first of them.
         BC    4,TAKE1              Another CPU was faster.
         C     4,LIMIT
         BNL   NOWORK
NUMBER   LA    7,2                  Is there a divisor?
DIVIDE   LR    3,7
         MR    2,7                  Up to the square root.
         CR    3,4
         BH    PRIME
         LR    3,4
         SR    2,2
         DR    2,7
         LTR   2,2
         BZ    NOPRIME
         LA    7,1(,7)
         B     DIVIDE
PRIME    LA    8,1(,8)
NOPRIME  LA    4,1(,4)
         CR    4,5
         BL    NUMBER
         B     TAKE
*
*----------------------------------------------------------------------
* The end: what this CPU has found, and all together. The last one of all
* calls CPU 0, which waits for that unless it is the last one.
*----------------------------------------------------------------------
NOWORK   LR    2,1
         SLL   2,2
         ST    8,EACH(2)
         L     4,TOTAL
ADD      LR    5,4
         AR    5,8
         CS    4,5,TOTAL
         BC    4,ADD
         L     3,=F'-1'
         BAL   14,ADDLEFT           Register 5: how many are left.
         LTR   1,1
         BZ    CPU0
         LTR   5,5
         BNZ   STOP
         SR    2,2
CALL     SIGP  0,2,2
         BC    2,CALL
STOP     LPSW  DONE
CPU0     LTR   5,5
         BZ    ALLDONE
         LCTL  0,0,CALLS            Only external calls interrupt,
         LPSW  WAIT                 and one that came before this, too.
ALLDONE  LPSW  DONE
*
* Adds register 3 to LEFT: register 5 is the sum.
*
ADDLEFT  L     4,LEFT
ADDLEFT1 LR    5,4
         AR    5,3
         CS    4,5,LEFT
         BC    4,ADDLEFT1
         BR    14
*
         LTORG
NEXTNO   DC    F'2'                 The next number to look at,
LIMIT    DC    F'2002'              up to 2001; the last two are no primes.
TOTAL    DC    F'0'
LEFT     DC    F'1'
NEXTCPU  DS    F
EACH     DC    8F'0'                By CPU.
CALLS    DC    X'00002000'
WAIT     DC    0D'0',X'010A000000000000'
DONE     DC    0D'0',X'000A000000000000'
STARTED  DC    X'00'
UP       DC    X'00'
         END   BEGIN
