/*
 * A climate sketch for an ATmega328P (Arduino Uno, Nano), without the Arduino libraries so that avr-gcc alone builds it:
 *
 *   avr-gcc -mmcu=atmega328p -Os -o climate.elf climate.c
 *
 * 9600 baud 8N1. Says "BOOT climate 1.0" when it starts and "T=21.5;H=40;UP=7" every second; obeys lines: FAN? FAN=0..100 (OK or ERR), RESET.
 * A real board would read its sensor where `measure` makes values up.
 */
#include <avr/interrupt.h>
#include <avr/io.h>
#include <avr/sleep.h>
#include <avr/wdt.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#ifndef F_CPU
#define F_CPU 16000000UL
#endif
#define BAUD 9600UL

static volatile char line[32];
static volatile uint8_t length;
static volatile uint8_t whole;
static volatile uint8_t due;
static uint32_t seconds;
static uint8_t fan = 30;

static void say_byte(char byte)
{
    while (!(UCSR0A & (1 << UDRE0)))
        ;
    UDR0 = byte;
}

static void say(const char *text)
{
    while (*text)
        say_byte(*text++);
}

static void say_number(uint32_t number)
{
    char text[11];
    say(ultoa(number, text, 10));
}

/* Tenths of a degree, and percent. */
static void measure(int16_t *air, uint8_t *humidity)
{
    *air = 215 + (int16_t)(seconds % 10) - fan / 10;
    *humidity = 40 + (uint8_t)(seconds % 5);
}

static void report(void)
{
    int16_t air;
    uint8_t humidity;
    measure(&air, &humidity);
    say("T=");
    say_number((uint32_t)air / 10);
    say_byte('.');
    say_number((uint32_t)air % 10);
    say(";H=");
    say_number(humidity);
    say(";UP=");
    say_number(seconds);
    say("\r\n");
}

static void obey(const char *text)
{
    if (strcmp(text, "FAN?") == 0) {
        say("FAN=");
        say_number(fan);
        say("\r\n");
    } else if (strncmp(text, "FAN=", 4) == 0 && text[4] >= '0' && text[4] <= '9' && strlen(text) <= 7 && atoi(text + 4) <= 100) {
        fan = (uint8_t)atoi(text + 4);
        say("OK\r\n");
    } else if (strcmp(text, "RESET") == 0) {
        fan = 30;
        seconds = 0;
        say("BOOT climate 1.0\r\n");
    } else {
        say("ERR\r\n");
    }
}

ISR(USART_RX_vect)
{
    char byte = UDR0;
    if (whole)
        return;
    if (byte == '\n') {
        line[length] = 0;
        whole = 1;
    } else if (byte != '\r' && length < sizeof line - 1) {
        line[length++] = byte;
    }
}

ISR(TIMER1_COMPA_vect)
{
    due = 1;
}

int main(void)
{
    wdt_disable();
    UBRR0 = (F_CPU + BAUD * 4) / (BAUD * 8) - 1;
    UCSR0A = 1 << U2X0;
    UCSR0B = (1 << RXEN0) | (1 << TXEN0) | (1 << RXCIE0);
    UCSR0C = (1 << UCSZ01) | (1 << UCSZ00);
    /* A compare match a second: the clock divided by 1024. */
    TCCR1B = (1 << WGM12) | (1 << CS12) | (1 << CS10);
    OCR1A = F_CPU / 1024 - 1;
    TIMSK1 = 1 << OCIE1A;
    set_sleep_mode(SLEEP_MODE_IDLE);
    sei();
    say("BOOT climate 1.0\r\n");
    for (;;) {
        cli();
        if (!due && !whole) {
            sleep_enable();
            sei();
            sleep_cpu();
            sleep_disable();
        }
        sei();
        if (due) {
            due = 0;
            seconds++;
            report();
        }
        if (whole) {
            char text[sizeof line];
            memcpy(text, (const char *)line, sizeof text);
            length = 0;
            whole = 0;
            obey(text);
        }
    }
}
