/*
 * A Modbus TCP server made of libmodbus (Debian's libmodbus-dev): a far end in C whose float orders are not ours.
 *
 *     libmodbus_server <port> [addresses]
 *
 * Listens on 127.0.0.1, and on as many addresses that follow as are asked for, at the same port. Holding registers 0-999 hold seven times their number;
 * coils 0-99 are off; holding registers 1000-2999 hold a thousand floats (ABCD), of which every request lifts one by 0.1. Answers a line {"set": "cdab", "register": 10, "value": 1.5} with {}
 * and {"get": "cdab", "register": 10} with {"value": ...}, both by libmodbus' own functions. Ends when its stdin does.
 */
#include <errno.h>
#include <modbus/modbus.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

enum { FLOATS_AT = 1000, FLOATS = 1000 };

static modbus_mapping_t *map;

static void put(const char *order, float value, uint16_t *at) {
    if (!strcmp(order, "abcd")) modbus_set_float_abcd(value, at);
    else if (!strcmp(order, "badc")) modbus_set_float_badc(value, at);
    else if (!strcmp(order, "cdab")) modbus_set_float_cdab(value, at);
    else modbus_set_float_dcba(value, at);
}

static float get(const char *order, const uint16_t *at) {
    if (!strcmp(order, "abcd")) return modbus_get_float_abcd(at);
    if (!strcmp(order, "badc")) return modbus_get_float_badc(at);
    if (!strcmp(order, "cdab")) return modbus_get_float_cdab(at);
    return modbus_get_float_dcba(at);
}

static void answer(const char *line) {
    char order[8];
    int place;
    double value;
    if (sscanf(line, "{\"set\":\"%4[a-d]\",\"register\":%d,\"value\":%lf}", order, &place, &value) == 3 && place >= 0 && place < 998) {
        put(order, (float) value, map->tab_registers + place);
        printf("{}\n");
    } else if (sscanf(line, "{\"get\":\"%4[a-d]\",\"register\":%d}", order, &place) == 2 && place >= 0 && place < 998) {
        printf("{\"value\":%.9g}\n", get(order, map->tab_registers + place));
    } else {
        printf("{\"error\":\"not understood\"}\n");
    }
    fflush(stdout);
}

/* A socket that listens there; the port it has goes to `port`. */
static int listen_on(const char *address, int *port) {
    struct sockaddr_in place;
    socklen_t size = sizeof place;
    int listening = modbus_tcp_listen(modbus_new_tcp(address, *port), 16);
    if (listening < 0 || getsockname(listening, (struct sockaddr *) &place, &size) < 0) return -1;
    *port = ntohs(place.sin_port);
    return listening;
}

int main(int count, char **words) {
    int port = count > 1 ? atoi(words[1]) : 0;
    int addresses = count > 2 ? atoi(words[2]) : 1;
    modbus_t *context = modbus_new_tcp("127.0.0.1", port);
    float floats[FLOATS];
    unsigned lifted = 0;
    map = modbus_mapping_new(100, 100, FLOATS_AT + 2 * FLOATS, 1000);
    for (int i = 0; i < FLOATS_AT; i++) map->tab_registers[i] = (uint16_t) (i * 7);
    for (int i = 0; i < FLOATS; i++) put("abcd", floats[i] = 20 + i * 0.1f, map->tab_registers + FLOATS_AT + 2 * i);
    fd_set open, listens;
    FD_ZERO(&open);
    FD_ZERO(&listens);
    FD_SET(0, &open);
    int highest = 0;
    for (int i = 1; i <= addresses; i++) {
        char address[32];
        snprintf(address, sizeof address, "127.0.0.%d", i);
        int listening = listen_on(address, &port);
        if (listening < 0) return 1;
        FD_SET(listening, &open);
        FD_SET(listening, &listens);
        highest = listening;
    }
    printf("ready %d\n", port);
    fflush(stdout);
    for (;;) {
        fd_set ready = open;
        if (select(highest + 1, &ready, NULL, NULL, NULL) < 0) return 1;
        for (int fd = 0; fd <= highest; fd++) {
            if (!FD_ISSET(fd, &ready)) continue;
            if (fd == 0) {
                char line[256];
                if (!fgets(line, sizeof line, stdin)) return 0;
                answer(line);
            } else if (FD_ISSET(fd, &listens)) {
                int taken = accept(fd, NULL, NULL);
                int on = 1;
                if (taken < 0) continue;
                setsockopt(taken, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
                FD_SET(taken, &open);
                if (taken > highest) highest = taken;
            } else {
                uint8_t query[MODBUS_TCP_MAX_ADU_LENGTH];
                modbus_set_socket(context, fd);
                int length = modbus_receive(context, query);
                int at = lifted++ % FLOATS;
                put("abcd", floats[at] += 0.1f, map->tab_registers + FLOATS_AT + 2 * at);
                if (length > 0) modbus_reply(context, query, length, map);
                else if (length < 0) {
                    close(fd);
                    FD_CLR(fd, &open);
                }
            }
        }
    }
}
