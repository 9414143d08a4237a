/** Supply, countries, fees and the genesis schedule: what everybody may know. */

import type { WithAmounts } from "./amount.js";
import {
  TokenomicsService,
  type Country,
  type GetSupplyResponse,
} from "./gen/gx/tokenomics/v1/tokenomics_pb.js";
import { items } from "./pages.js";
import { methodsOf, type CallOptions } from "./service.js";

export * from "./gen/gx/tokenomics/v1/tokenomics_pb.js";

/** Facts about the currency. */
export class Tokenomics extends methodsOf(TokenomicsService) {
  /** The supply as it is now. */
  supply(options?: CallOptions): Promise<WithAmounts<GetSupplyResponse>> {
    return this.getSupply({}, options);
  }

  /** All countries, in order of their codes. */
  countries(options?: CallOptions): AsyncGenerator<WithAmounts<Country>, void, undefined> {
    return items(
      (page) => this.listCountries(page, options),
      (page) => page.countries,
    );
  }
}
