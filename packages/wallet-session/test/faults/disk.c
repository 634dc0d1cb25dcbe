// Loaded into a process by LD_PRELOAD (disk.ts): writes down what the process does to the files of one directory, and makes it
// fail where told. The directory's syncs are written down and not done. DISK_DIRECTORY: absolute. DISK_JOURNAL: the file to
// append to, a line "KIND NAME OFFSET SIZE" for each operation and then SIZE bytes. DISK_FAULT: a file that may hold a fault:
// "w ERRNO": writes fail; "x ERRNO": those that make a file longer do; "s ERRNO": syncs do.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define NEXT(function) ((__typeof__(&function))dlsym(RTLD_NEXT, #function))
#define FILES 1024

// By descriptor. Some are closed past the C library, so the file is looked at again.
static struct {
  char name[64];
  dev_t device;
  ino_t inode;
} files[FILES];

static const char *name_of_path(const char *path) {
  const char *directory = getenv("DISK_DIRECTORY");
  size_t length = directory == NULL ? 0 : strlen(directory);
  if (length == 0 || strncmp(path, directory, length) != 0) return NULL;
  if (path[length] == '\0') return ".";
  return path[length] == '/' && strlen(path + length) < sizeof files[0].name ? path + length + 1 : NULL;
}

static const char *name_of(int fd) {
  struct stat now;
  if (fd < 0 || fd >= FILES || files[fd].name[0] == '\0') return NULL;
  if (fstat(fd, &now) != 0 || now.st_ino != files[fd].inode || now.st_dev != files[fd].device) return NULL;
  return files[fd].name;
}

// What is in the shared memory of the write-ahead log does not outlive the machine.
static int is_memory(const char *name) {
  size_t length = strlen(name);
  return length > 4 && strcmp(name + length - 4, "-shm") == 0;
}

static void note(char kind, const char *name, off_t at, const void *bytes, size_t size) {
  static int journal = -1;
  char head[160];
  if (is_memory(name)) return;
  if (journal < 0) {
    journal = NEXT(open64)(getenv("DISK_JOURNAL"), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  }
  int length = snprintf(head, sizeof head, "%c %s %lld %zu\n", kind, name, (long long)at, size);
  struct iovec parts[] = {{head, (size_t)length}, {(void *)bytes, size}};
  if (writev(journal, parts, 2) != (ssize_t)(length + size)) abort();
}

// The error that an operation of this kind is to meet, or 0.
static int fault(char kind, const char *name) {
  const char *path = getenv("DISK_FAULT");
  char told = 0;
  int error = 0;
  FILE *file = path == NULL || strcmp(name, "story") == 0 ? NULL : fopen(path, "re");
  if (file == NULL) return 0;
  if (fscanf(file, "%c %d", &told, &error) != 2 || told != kind) error = 0;
  fclose(file);
  return error;
}

// How many bytes of a write there is room for; -1 and errno: none.
static ssize_t room(int fd, const char *name, size_t size, off_t at) {
  struct stat now;
  int error = fault('w', name);
  if (error == 0 && (error = fault('x', name)) != 0 && fstat(fd, &now) == 0 && at < now.st_size) {
    error = 0;
    if (at + (off_t)size > now.st_size) size = (size_t)(now.st_size - at);
  }
  errno = error;
  return error == 0 ? (ssize_t)size : -1;
}

static int opened(int fd, const char *path, int is_new) {
  const char *name = name_of_path(path);
  struct stat now;
  if (fd < 0 || fd >= FILES) return fd;
  files[fd].name[0] = '\0';
  if (name == NULL || fstat(fd, &now) != 0) return fd;
  strcpy(files[fd].name, name);
  files[fd].device = now.st_dev;
  files[fd].inode = now.st_ino;
  if (is_new) note('C', name, 0, NULL, 0);
  return fd;
}

#define OPENING(function)                                                    \
  int function(const char *path, int flags, ...) {                           \
    va_list rest;                                                            \
    va_start(rest, flags);                                                   \
    mode_t mode = (flags & O_CREAT) != 0 ? va_arg(rest, mode_t) : 0;         \
    va_end(rest);                                                            \
    int is_new = (flags & O_CREAT) != 0 && access(path, F_OK) != 0;          \
    return opened(NEXT(function)(path, flags, mode), path, is_new);          \
  }
OPENING(open)
OPENING(open64)

ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t at) {
  const char *name = name_of(fd);
  if (name == NULL) return NEXT(pwrite64)(fd, bytes, size, at);
  ssize_t fits = room(fd, name, size, at);
  if (fits < 0) return -1;
  ssize_t written = NEXT(pwrite64)(fd, bytes, (size_t)fits, at);
  if (written > 0) note('W', name, at, bytes, (size_t)written);
  return written;
}

ssize_t write(int fd, const void *bytes, size_t size) {
  const char *name = name_of(fd);
  if (name == NULL) return NEXT(write)(fd, bytes, size);
  off_t at = lseek(fd, 0, (fcntl(fd, F_GETFL) & O_APPEND) != 0 ? SEEK_END : SEEK_CUR);
  ssize_t fits = room(fd, name, size, at);
  if (fits < 0) return -1;
  ssize_t written = NEXT(write)(fd, bytes, (size_t)fits);
  if (written > 0) note('W', name, at, bytes, (size_t)written);
  return written;
}

int ftruncate64(int fd, off64_t size) {
  const char *name = name_of(fd);
  int failed = NEXT(ftruncate64)(fd, size);
  if (failed == 0 && name != NULL) note('T', name, size, NULL, 0);
  return failed;
}

static int synced(const char *name) {
  int error = fault('s', name);
  note(error == 0 ? 'S' : 'F', name, 0, NULL, 0);
  errno = error;
  return error == 0 ? 0 : -1;
}

int fsync(int fd) {
  const char *name = name_of(fd);
  return name == NULL ? NEXT(fsync)(fd) : synced(name);
}

int fdatasync(int fd) {
  const char *name = name_of(fd);
  return name == NULL ? NEXT(fdatasync)(fd) : synced(name);
}

int unlink(const char *path) {
  const char *name = name_of_path(path);
  int failed = NEXT(unlink)(path);
  if (failed == 0 && name != NULL) note('U', name, 0, NULL, 0);
  return failed;
}
