/* Marks a window row that lies in the padding above or below. */
#define OUTSIDE ((tap_offset)-1)
