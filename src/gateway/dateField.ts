/** The value of a Date field (RFC 9110 §5.6.7), made once a second. */
export class DateField {
  #second = -1;
  #text = "";

  /** `now` in epoch milliseconds. */
  at(now: number): string {
    const second = Math.floor(now / 1000);
    if (second === this.#second) return this.#text;
    this.#second = second;
    this.#text = new Date(second * 1000).toUTCString();
    return this.#text;
  }
}
