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
 * @param {string} tag
 * @param {Record<string, string>} [attributes]
 * @param {...(Node | string | null)} children
 * @returns {SVGElement}
 */
export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (!(element instanceof SVGElement)) throw new Error(`${tag} is no element of SVG`);
  element.append(...children.filter((child) => child !== null));
  return element;
}

/**
 * Gives `parent` these children and touches only what differs, so that a click, a focus or a selection of text outlives the refresh.
 * Listeners stay those of the first time: they must not close over what changes. Children with `data-key` stay with what they are about: where
 * others come or go before them, they move along.
 * @param {Node} parent
 * @param {...(Node | null)} children
 */
export function show(parent, ...children) {
  const wanted = children.filter((child) => child !== null);
  const keys = new Set(wanted.map(keyOf));
  for (const [at, child] of wanted.entries()) {
    const present = presentAt(parent, at, keys);
    if (present === null) parent.appendChild(child);
    else if (keyOf(present) !== keyOf(child)) parent.insertBefore(child, present);
    else if (!merge(present, child)) parent.replaceChild(child, present);
  }
  while (parent.childNodes.length > wanted.length) parent.lastChild?.remove();
}

/**
 * The child in this place, once those have gone that are about nothing any more.
 * @param {Node} parent
 * @param {number} at
 * @param {Set<string | null>} keys
 */
function presentAt(parent, at, keys) {
  for (;;) {
    const present = parent.childNodes[at] ?? null;
    const key = present === null ? null : keyOf(present);
    if (present === null || key === null || keys.has(key)) return present;
    present.remove();
  }
}

/** @param {Node} node */
function keyOf(node) {
  return node instanceof Element ? node.getAttribute("data-key") : null;
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

/**
 * With the day, where it was another one.
 * @param {number} at epoch milliseconds
 */
export function dateTime(at) {
  const day = new Date(at).toLocaleDateString(undefined, { day: "numeric", month: "short" });
  return new Date(at).toDateString() === new Date().toDateString() ? clockTime(at) : `${day} ${clockTime(at)}`;
}

/** @param {number} ms */
export function age(ms) {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 90) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
}
