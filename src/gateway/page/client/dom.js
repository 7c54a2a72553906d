// Elements without innerHTML: text from the API is always text.

/**
 * @param {string} tag
 * @param {Record<string, string | ((event: Event) => void)>} [attributes]
 * @param {...(Node | string | null)} children
 * @returns {HTMLElement}
 */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

/**
 * Gives `parent` these children and touches only what differs, so that a click, a focus or a selection of text outlives the refresh.
 * Listeners stay those of the first time: they must not close over what changes.
 * @param {Node} parent
 * @param {...(Node | null)} children
 */
export function show(parent, ...children) {
  const wanted = children.filter((child) => child !== null);
  for (const [at, child] of wanted.entries()) {
    const present = parent.childNodes[at];
    if (present === undefined) parent.appendChild(child);
    else if (!merge(present, child)) parent.replaceChild(child, present);
  }
  while (parent.childNodes.length > wanted.length) parent.lastChild?.remove();
}

/**
 * @param {Node} present
 * @param {Node} wanted
 * @returns {boolean} false where `present` cannot become `wanted`
 */
function merge(present, wanted) {
  if (present instanceof Text && wanted instanceof Text) {
    if (present.data !== wanted.data) present.data = wanted.data;
    return true;
  }
  if (!(present instanceof Element && wanted instanceof Element) || present.tagName !== wanted.tagName) return false;
  mergeAttributes(present, wanted);
  show(present, ...wanted.childNodes);
  return true;
}

/**
 * @param {Element} present
 * @param {Element} wanted
 */
function mergeAttributes(present, wanted) {
  for (const { name, value } of wanted.attributes) if (present.getAttribute(name) !== value) present.setAttribute(name, value);
  for (const name of present.getAttributeNames()) if (!wanted.hasAttribute(name)) present.removeAttribute(name);
}

/**
 * @template {HTMLElement} T
 * @param {string} id
 * @param {new () => T} type
 * @returns {T}
 */
export function byId(id, type) {
  const element = document.getElementById(id);
  if (!(element instanceof type)) throw new Error(`the page has no ${type.name} ${id}`);
  return element;
}

/** @param {number} at epoch milliseconds */
export function clockTime(at) {
  return new Date(at).toLocaleTimeString(undefined, { hour12: false });
}

/** @param {number} ms */
export function age(ms) {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 90) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
}
