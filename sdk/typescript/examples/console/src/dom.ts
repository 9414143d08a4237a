/** Elements, made without a string of HTML ever being read. */

/** What stands in an element. */
export type Child = Node | string | undefined;

/** Attributes; `true` is one without a value, and what is false or absent is left out. */
export type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;

const SVG = "http://www.w3.org/2000/svg";

/** An element of HTML. */
export function h<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Name] {
  return fill(document.createElement(name), attributes, children);
}

/** An element of SVG. */
export function svg<Name extends keyof SVGElementTagNameMap>(
  name: Name,
  attributes: Attributes = {},
  ...children: readonly Child[]
): SVGElementTagNameMap[Name] {
  return fill(document.createElementNS(SVG, name), attributes, children);
}

/** The element, whose children are now these. */
export function put<E extends Element>(element: E, ...children: readonly Child[]): E {
  element.replaceChildren(...children.filter((child) => child !== undefined));
  return element;
}

/** A button that does something when it is pressed. */
export function button(label: string, press: () => void, attributes: Attributes = {}): HTMLButtonElement {
  const made = h("button", { type: "button", ...attributes }, label);
  made.addEventListener("click", press);
  return made;
}

/** A link to a room of the console, or to anywhere. */
export function link(href: string, ...children: readonly Child[]): HTMLAnchorElement {
  return h("a", { href }, ...children);
}

function fill<E extends Element>(element: E, attributes: Attributes, children: readonly Child[]): E {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    element.setAttribute(name, value === true ? "" : String(value));
  }
  return put(element, ...children);
}
