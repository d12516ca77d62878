* hello.s - the smallest complete guest: one line on the console, then stop.
*
* A program on a bare System/370 has no operating system below it. What
* it has is low storage: the first 512 bytes, where the machine looks for
* PSWs and leaves its reports. This program shows the three things that
* every larger one does, too:
*
*   1. It is started by a PSW, the doubleword at address 0.
*   2. It starts an I/O operation and then WAITS: a PSW with the wait bit
*      on stops the CPU until an interruption comes.
*   3. It ends by loading a wait PSW that nothing can interrupt: a
*      disabled wait, the normal end of a program without a system. The
*      address in it says how it went: 000000 well, others not.
*
* It runs in BC (basic control) mode, that of System/360. A BC PSW:
*
*   byte 0   channel masks (X'80' channel 0 ... X'02' channels 6 and
*            up), X'01' external interruptions
*   byte 1   protection key; X'08' EC mode (here 0), X'04' machine
*            checks, X'02' WAIT, X'01' PROBLEM state
*   2 and 3  interruption code, in old PSWs only
*   byte 4   instruction length, condition code, program mask
*   5 to 7   instruction address
*
* Everything lies below 4096, where addresses need no base register:
* "USING HELLO,0" says so.
*
HELLO    START 0
         USING HELLO,0
*
* Low storage. An interruption stores the current PSW as "old" PSW and
* loads the "new" one of its class. We expect an I/O interruption only;
* what we do not expect ends in a disabled wait that tells which it was.
*
         DC    X'0000000000000200'   0: restart new PSW - go to START
         ORG   HELLO+64
CSW      DS    D                    64: channel status word, stored by
*                                       the I/O interruption
CAW      DS    F                    72: channel address word, read by
*                                       SIO
         ORG   HELLO+88
         DC    X'0002000000000E58'  88: external new PSW
         DC    X'0002000000000E60'  96: supervisor-call new PSW
         DC    X'0002000000000E68' 104: program new PSW
         DC    X'0002000000000E70' 112: machine-check new PSW
         DC    A(0,IODONE)         120: I/O new PSW - go to IODONE
*
         ORG   HELLO+X'200'
START    LA    1,CCW                The channel program,
         ST    1,CAW                where the channel looks for it.
         SIO   X'009'               Start device 009, the console.
         BC    7,FAILED             Condition code 0: it was started.
         LPSW  WAIT                 Nothing to do until it is done.
*
* The channel works by itself; when it is done it interrupts. The old PSW
* at 56 is our WAIT PSW, the CSW tells what happened.
*
IODONE   TM    CSW+4,X'04'          Device end?
         BC    8,STILL              Not yet: go on waiting.
         TM    CSW+4,X'03'          Unit check or exception?
         BC    5,FAILED
         LPSW  DONE
STILL    LPSW  56                   Back to where we were: waiting.
FAILED   LPSW  BAD
*
* A channel command word: command, data address, flags, byte count.
* Command X'09' is "write and return the carriage".
*
CCW      CCW   X'09',TEXT,X'00',L'TEXT
TEXT     DC    C'HELLO FROM SYSTEM/370'
*
         DS    0D
WAIT     DC    X'8002000000000000'  Wait; channel 0 may interrupt.
DONE     DC    X'0002000000000000'  Wait for nothing: the end.
BAD      DC    X'0002000000000BAD'
         END   START
