#include "again.h"
#include "radar.h"
#include "semihosting.h"

static radar_state radar;
static again_state again;

int main(void) {
    const int failures = (radar_self_test(&radar) != 0) + (again_self_test(&again) != 0);
    semihosting_write(failures == 0 ? "both models pass their self-test\n" : "a self-test fails\n");
    return failures;
}
