/*
 * Functions of the C library that fail when told so. FAILING_CALL names one in
 * the environment, with the error number: "write 32". It may change while the
 * process runs.
 *
 * pthread_create  Threads of all kinds.
 * epoll_ctl       Registering an IP socket edge-triggered, which libuv never
 *                 does (and which it would not survive).
 * write           All that writes to an IP socket: no pipe to a parent.
 * socket          Making one.
 */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

/* The number that `call` has to fail with, 0 if it need not. */
static int failure(const char *call) {
  const char *told = getenv("FAILING_CALL");
  size_t length = strlen(call);

  if (told == NULL || strncmp(told, call, length) != 0) return 0;

  return told[length] == ' ' ? atoi(told + length + 1) : 0;
}

static int is_ip(int fd) {
  int domain = 0;
  int before = errno;
  socklen_t size = sizeof domain;
  int result = getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size);

  errno = before;
  return result == 0 && (domain == AF_INET || domain == AF_INET6);
}

#define FAIL_IF(call, condition)          \
  do {                                    \
    int number = failure(call);           \
    if (number != 0 && (condition)) {     \
      errno = number;                     \
      return -1;                          \
    }                                     \
  } while (0)

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                   void *(*start)(void *), void *argument) {
  int number = failure("pthread_create");

  if (number != 0) return number;
  return REAL(pthread_create)(thread, attributes, start, argument);
}

int epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event) {
  FAIL_IF("epoll_ctl", operation == EPOLL_CTL_ADD &&
                           (event->events & EPOLLET) != 0 && is_ip(fd));
  return REAL(epoll_ctl)(epoll, operation, fd, event);
}

int socket(int domain, int type, int protocol) {
  FAIL_IF("socket", 1);
  return REAL(socket)(domain, type, protocol);
}

ssize_t write(int fd, const void *bytes, size_t size) {
  FAIL_IF("write", is_ip(fd));
  return REAL(write)(fd, bytes, size);
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
  FAIL_IF("write", is_ip(fd));
  return REAL(writev)(fd, parts, count);
}

ssize_t send(int fd, const void *bytes, size_t size, int flags) {
  FAIL_IF("write", is_ip(fd));
  return REAL(send)(fd, bytes, size, flags);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags) {
  FAIL_IF("write", is_ip(fd));
  return REAL(sendmsg)(fd, message, flags);
}
