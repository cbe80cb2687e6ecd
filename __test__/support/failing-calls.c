/*
 * Functions of the C library that fail when told so. FAILING_CALL names one in
 * the environment, with the error number: "socket 24". It may change while the
 * process runs.
 *
 * pthread_create  Threads of all kinds.
 * socket          Making one.
 * epoll_ctl       Registering an IP socket edge-triggered, which libuv never
 *                 does (and which it would not survive).
 * write           All that writes to an IP socket at one end of a connection:
 *                 "write 32 80 0" to those of port 80, "write 32 0 80" to those
 *                 that are connected with one.
 */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
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

typedef int name_function(int, struct sockaddr *, socklen_t *);

/* The port at one end of an IP socket, -1 of anything else. */
static int port_of(int fd, name_function *name) {
  struct sockaddr_in6 address;
  socklen_t size = sizeof address;
  int before = errno;
  int result = name(fd, (struct sockaddr *)&address, &size);
  int family = address.sin6_family;

  errno = before;
  if (result != 0 || (family != AF_INET && family != AF_INET6)) return -1;

  /* Where it is in a sockaddr_in, too. */
  return ntohs(address.sin6_port);
}

static int is_meant(int fd) {
  int local = 0;
  int remote = 0;

  sscanf(getenv("FAILING_CALL"), "%*s %*d %d %d", &local, &remote);
  return (local != 0 && port_of(fd, getsockname) == local) ||
         (remote != 0 && port_of(fd, getpeername) == remote);
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
                           (event->events & EPOLLET) != 0 && port_of(fd, getsockname) >= 0);
  return REAL(epoll_ctl)(epoll, operation, fd, event);
}

int socket(int domain, int type, int protocol) {
  FAIL_IF("socket", 1);
  return REAL(socket)(domain, type, protocol);
}

ssize_t write(int fd, const void *bytes, size_t size) {
  FAIL_IF("write", is_meant(fd));
  return REAL(write)(fd, bytes, size);
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
  FAIL_IF("write", is_meant(fd));
  return REAL(writev)(fd, parts, count);
}

ssize_t send(int fd, const void *bytes, size_t size, int flags) {
  FAIL_IF("write", is_meant(fd));
  return REAL(send)(fd, bytes, size, flags);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags) {
  FAIL_IF("write", is_meant(fd));
  return REAL(sendmsg)(fd, message, flags);
}
