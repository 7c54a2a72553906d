/** Where an MPD says that it is refreshed and steered. Pure. */
import { putEarly } from "./baseUrls.ts";
import { childrenNamed, createLike, takeOut, type XmlElement } from "./element.ts";

/** The origin's words on where to refresh and steer. A patch (`PatchLocation`) is one of the origin's MPD, not of this one. */
export function dropSignalling(mpd: XmlElement): void {
  const names = ["ContentSteering", "Location", "PatchLocation"];
  for (const element of names.flatMap((name) => childrenNamed(mpd, name))) takeOut(element);
}

/** Without it dash.js and Shaka refresh a live MPD where they were redirected to. In one that does not change it would only move the base. */
export function putLocation(mpd: XmlElement, location: string | null): void {
  if (location !== null && mpd.getAttribute("type") === "dynamic") putEarly(createLike(mpd, "Location", location), mpd);
}
