'use strict';

const NAME = 'permessage-deflate';

/**
 * Has a library negotiate, and tells all that comes of it.
 *
 * @param {Object} library
 * @param {Object} scenario
 */
async function play({ PerMessageDeflate, extension }, scenario) {
  const { header, options } = scenario;
  const events = [];
  const attempt = (work) => {
    try {
      return work();
    } catch ({ name, message }) {
      events.push({ event: 'error', name, message });
    }
  };
  const deflate = new PerMessageDeflate(structuredClone(options));
  const offer = attempt(() => extension.format({ [NAME]: deflate.offer() }));
  const configurations = attempt(() =>
    header === undefined
      ? scenario.configurations.map(copy)
      : extension.parse(header)[NAME]
  );

  if (configurations === undefined) return { offer, events };

  const accepted = attempt(() => deflate.accept(configurations));

  if (accepted === undefined) return { offer, params: deflate.params, events };

  return {
    offer,
    index: configurations.indexOf(accepted),
    isKept: deflate.params === accepted,
    configurations: configurations.map(Object.entries),
    answer: attempt(() => extension.format({ [NAME]: accepted })),
    events
  };
}

/** With the order of its parameters, and the prototype that a parsed one has. */
function copy(offer) {
  return Object.assign(Object.create(null), structuredClone({ ...offer }));
}

module.exports = { play };
