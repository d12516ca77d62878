/* The command cloud370. */
#include <stdio.h>

int main(void) {
    printf("cloud370 %s\n", CLOUD370_VERSION);
    return 0;
}
