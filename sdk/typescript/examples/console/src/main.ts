/** Where the page begins: the gateway that its head names, and nobody signed in. */

import { Console } from "./console.js";

const gateway = document.querySelector<HTMLMetaElement>('meta[name="gx-gateway"]');
new Console(gateway?.content ?? location.origin).begin();
