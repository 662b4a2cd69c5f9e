"""The Assets API: fixed assets, their types and the settings of their depreciation."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from singer_xero.objects.apis import ASSETS_API
from singer_xero.objects.base import Paging, XeroObject
from singer_xero.objects.fields import Component, calculated, day, flag, guid, money, number, one, text, whole
from singer_xero.objects.scopes import Scopes

# target-xero writes no assets, so no login needs the scope to write them.
_SCOPES = Scopes("assets.read", also=("assets",))

DEPRECIATION_SETTING = Component(
    {
        "depreciationMethod": text("Such as StraightLine or DiminishingValue100"),
        "averagingMethod": text("FullMonth or ActualDays"),
        "depreciationRate": number,
        "effectiveLifeYears": whole,
        "depreciationCalculationMethod": text("Rate, Life or None"),
        "depreciableObjectId": calculated(guid),
        "depreciableObjectType": calculated(text),
        "bookEffectiveDateOfChangeId": calculated(guid),
    }
)
_NEW_ZEALAND = "New Zealand only"
DEPRECIATION_DETAIL = Component(
    {
        "currentCapitalGain": money,
        "currentGainLoss": money,
        "depreciationStartDate": day,
        **dict.fromkeys(
            ("costLimit", "residualValue", "priorAccumDepreciationAmount", "currentAccumDepreciationAmount"),
            money,
        ),
        **dict.fromkeys(
            (
                "businessUseCapitalGain",
                "businessUseCurrentGainLoss",
                "privateUseCapitalGain",
                "privateUseCurrentGainLoss",
            ),
            money(_NEW_ZEALAND),
        ),
        "initialDeductionPercentage": number(_NEW_ZEALAND),
    }
)

_ROWS = (
    XeroObject(
        api=ASSETS_API,
        name="asset_settings",
        path="Settings",
        envelope="",
        key=(),
        scopes=_SCOPES,
        selected=False,
        removal="never removed",
        fields={
            "assetNumberPrefix": text,
            "assetNumberSequence": text,
            "assetStartDate": day,
            "lastDepreciationDate": day,
            **dict.fromkeys(
                (
                    "defaultGainOnDisposalAccountId",
                    "defaultLossOnDisposalAccountId",
                    "defaultCapitalGainOnDisposalAccountId",
                ),
                guid,
            ),
            "optInForTax": flag,
        },
    ),
    XeroObject(
        api=ASSETS_API,
        name="asset_types",
        envelope="",
        scopes=_SCOPES,
        natural_keys=("assetTypeName",),
        selected=False,
        fields={
            "assetTypeId": guid,
            "assetTypeName": text,
            **dict.fromkeys(
                ("fixedAssetAccountId", "depreciationExpenseAccountId", "accumulatedDepreciationAccountId"),
                guid,
            ),
            "bookDepreciationSetting": one(DEPRECIATION_SETTING),
            "locks": calculated(whole("Number of depreciated assets that use this type")),
        },
    ),
    XeroObject(
        api=ASSETS_API,
        name="assets",
        envelope="items",
        scopes=_SCOPES,
        paging=Paging.PAGES,
        # Xero requires a status, and takes one at a time.
        walks=({"status": "DRAFT"}, {"status": "REGISTERED"}, {"status": "DISPOSED"}),
        natural_keys=("assetNumber",),
        statuses=("Draft", "Registered", "Disposed"),
        selected=False,
        fields={
            "assetId": guid,
            "assetName": text,
            "assetTypeId": guid,
            "assetNumber": text,
            "purchaseDate": day,
            "purchasePrice": money,
            "disposalDate": day,
            "disposalPrice": money,
            "assetStatus": text("Draft, Registered or Disposed"),
            "warrantyExpiryDate": text,
            "serialNumber": text,
            "bookDepreciationSetting": one(DEPRECIATION_SETTING),
            "bookDepreciationDetail": one(DEPRECIATION_DETAIL),
            "canRollback": calculated(flag),
            "accountingBookValue": calculated(money),
            "isDeleteEnabledForDate": calculated(flag),
        },
    ),
)

#: The rows of the Assets API by stream name, A to Z.
ASSETS: Mapping[str, XeroObject] = MappingProxyType({row.name: row for row in _ROWS})
