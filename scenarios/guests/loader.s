* loader.s - block 0 of a disk from which a machine can be started.
*
* INITIAL PROGRAM LOAD begins with an empty machine. The operator names
* a device; the machine reads 24 bytes from it to address 0, and takes
* them for a PSW and two channel command words. It goes on with these
* commands, and when they are done, loads the PSW at 0. So a channel
* program does all of the loading; no instruction is executed for it.
*
* Two commands are not enough to read a program, and what they read may
* overwrite them. So the first one reads this block again, all of it,
* to a place where it is not in the way; the second one goes on with
* the commands in it. They read blocks 1 to 64 to address 0: the image
* of any program of 32K or less that begins with a PSW at 0, as it does
* if it can be started by restart. That is the PSW that IPL then loads.
*
*   block 0     this
*   blocks 1-   the image
*
* nucleus.s leaves blocks below 256 alone, so that it can be put on the
* disk that it uses. It needs 64K, as 00E000 has to be there.
*
LOADER   START 0
PLACE    EQU   X'E000'
         DC    D'0'                The image brings the PSW.
         CCW   X'02',PLACE,X'60',512           Read block 0 again,
         CCW   X'08',PLACE+MORE-LOADER,0,1     go on there:
MORE     CCW   X'43',PLACE+WHERE-LOADER,X'40',8   locate,
         CCW   X'42',0,X'20',64*512            read.
WHERE    DC    X'0600',H'64',F'1'  Read 64 blocks, from block 1.
         ORG   LOADER+511
         DC    X'00'
         END
