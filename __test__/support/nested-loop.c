// An addon whose only function lets the event loop run once, inside whatever
// calls it: as deasync does it, or a modal dialogue of Electron.

#include <stddef.h>

typedef void *napi_env;
typedef void *napi_value;
typedef void *napi_callback_info;
typedef napi_value (*napi_callback)(napi_env, napi_callback_info);

extern int napi_get_uv_event_loop(napi_env, void **);
extern int napi_create_function(napi_env, const char *, size_t, napi_callback,
                                void *, napi_value *);
extern int uv_run(void *, int);

enum { UV_RUN_NOWAIT = 2 };

static napi_value run(napi_env env, napi_callback_info info) {
  void *loop;

  (void)info;
  if (napi_get_uv_event_loop(env, &loop) == 0) uv_run(loop, UV_RUN_NOWAIT);
  return NULL;
}

napi_value napi_register_module_v1(napi_env env, napi_value exports) {
  napi_value function = exports;

  napi_create_function(env, "run", 3, run, NULL, &function);
  return function;
}
