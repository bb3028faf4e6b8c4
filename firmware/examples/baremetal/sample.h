/*
 * One frame in the model's input bytes, and the class that the reference interpreter finds in it.
 *
 * A placeholder: it is to be generated from the built-in samples, together with har.c, as
 *   static const uint8_t sample_input[HAR_INPUT_BYTES] = {...};
 *   enum { SAMPLE_CLASS = ... };
 */
#ifndef SAMPLE_H
#define SAMPLE_H

#include "har.h"

static const uint8_t sample_input[HAR_INPUT_BYTES] = {0};

enum { SAMPLE_CLASS = 0 };

#endif
