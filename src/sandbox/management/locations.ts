/** Display names of locations: requests may say `northeurope`, answers say `North Europe`. */
const DISPLAY_NAMES = [
  "Australia Central",
  "Australia East",
  "Australia Southeast",
  "Brazil South",
  "Canada Central",
  "Canada East",
  "Central India",
  "Central US",
  "East Asia",
  "East US",
  "East US 2",
  "France Central",
  "Germany West Central",
  "Japan East",
  "Japan West",
  "Korea Central",
  "Korea South",
  "North Central US",
  "North Europe",
  "Norway East",
  "South Africa North",
  "South Central US",
  "South India",
  "Southeast Asia",
  "Sweden Central",
  "Switzerland North",
  "UAE North",
  "UK South",
  "UK West",
  "West Central US",
  "West Europe",
  "West India",
  "West US",
  "West US 2",
  "West US 3",
] as const;

const BY_CODE = new Map(DISPLAY_NAMES.map((name) => [code(name), name]));

/** The display name; a location that is not known stays as it was written. */
export function locationDisplayName(location: string): string {
  return BY_CODE.get(code(location)) ?? location;
}

function code(location: string): string {
  return location.replaceAll(" ", "").toLowerCase();
}
