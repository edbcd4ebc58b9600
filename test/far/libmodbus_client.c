/* The peer of bench/modbus.ts: libmodbus reads 125 holding registers one after the other. libmodbus_client <port> <seconds> prints reads a second. */
#include <modbus/modbus.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

int main(int count, char **words) {
    if (count < 3) return 2;
    modbus_t *context = modbus_new_tcp("127.0.0.1", atoi(words[1]));
    uint16_t registers[125];
    if (modbus_connect(context) < 0) return 1;
    modbus_set_slave(context, 1);
    double started = now(), end = started + atof(words[2]);
    long reads = 0;
    while (now() < end) {
        if (modbus_read_registers(context, 0, 125, registers) != 125 || registers[124] != 868) return 1;
        reads++;
    }
    printf("%.0f\n", reads / (now() - started));
    modbus_close(context);
    modbus_free(context);
    return 0;
}
