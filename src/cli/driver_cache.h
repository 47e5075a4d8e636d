/* The cache folders of the drivers, before any driver is loaded. PoCL lists no device where it cannot make
 * its cache, and dies of a damaged one; so the command, which owns its process, gives it a folder that can be
 * written, belongs to the very driver and has been looked at. A library must not set the environment of a
 * program: there the error says what to do (src/device/device.c). */
#ifndef CLI_DRIVER_CACHE_H
#define CLI_DRIVER_CACHE_H

/* Sets POCL_CACHE_DIR where the user has not, and XDG_CACHE_HOME where the user's own cache folder cannot be
 * made: then everything goes to $TMPDIR/octet-UID. Call it once, before the first call of the library that
 * looks for devices. What goes wrong leaves things as they are. */
void driver_cache_prepare(void);

#endif
