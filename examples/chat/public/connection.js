// A WebSocket that comes back: it connects again after a loss, at growing
// distances, and at once when the network or the page is back.

const FIRST_DELAY = 500;
const MAX_DELAY = 15_000;

/** The close code of the server when another window took over. */
export const REPLACED = 4001;

export class Connection extends EventTarget {
  #url;
  #ws = null;
  #attempts = 0;
  #timer;
  #isReplaced = false;

  constructor(url) {
    super();
    this.#url = url;
    addEventListener('online', () => this.#hurry());
    addEventListener('offline', () => this.#ws?.close());
    document.addEventListener('visibilitychange', () => this.#hurry());
    this.#connect();
  }

  get isOpen() {
    return this.#ws?.readyState === WebSocket.OPEN;
  }

  /** Bytes that are still to leave. */
  get bufferedAmount() {
    return this.#ws.bufferedAmount;
  }

  send(data) {
    this.#ws.send(data);
  }

  /** Connects now rather than later. */
  retry() {
    if (this.#ws !== null) return;
    clearTimeout(this.#timer);
    this.#connect();
  }

  #hurry() {
    if (!document.hidden && !this.#isReplaced) this.retry();
  }

  #connect() {
    const ws = new WebSocket(this.#url);

    this.#ws = ws;
    this.#isReplaced = false;
    ws.binaryType = 'arraybuffer';
    ws.onopen = () => {
      this.#attempts = 0;
      this.dispatchEvent(new Event('open'));
    };
    ws.onmessage = ({ data }) => {
      this.dispatchEvent(new MessageEvent('message', { data }));
    };
    ws.onclose = ({ code, reason }) => {
      // Some of the delay is left to chance: not all come back at one time.
      const delay =
        Math.min(FIRST_DELAY * 2 ** this.#attempts++, MAX_DELAY) *
        (0.5 + Math.random());

      this.#ws = null;
      this.#isReplaced = code === REPLACED;
      if (!this.#isReplaced) {
        this.#timer = setTimeout(() => this.#connect(), delay);
      }
      this.dispatchEvent(
        new CustomEvent('lost', { detail: { code, reason, delay } })
      );
    };
  }
}
