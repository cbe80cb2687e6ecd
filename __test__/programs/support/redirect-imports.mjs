let target;

export function initialize(data) {
  target = data;
}

/** What redirect.js does, for `import`. */
export function resolve(specifier, context, next) {
  return specifier === 'ws'
    ? next(target.name, { ...context, parentURL: target.root })
    : next(specifier, context);
}
