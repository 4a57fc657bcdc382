//! The keys of `params` and of the engine's `params`, by the client that reads them.
//!
//! OpenEthereum: `crates/ethjson/src/spec/params.rs` and `authority_round.rs`. Nethermind:
//! `Nethermind.Specs/ChainSpecStyle/Json/ChainSpecParamsJson.cs` at 27be127 (of 2023), 0052427 (of 2025) and of 2026,
//! `ChainSpecLoader.cs` at 0035b43, `Nethermind.Consensus.AuRa/Config/AuRaChainSpecEngineParameters.cs` at 1086c6f: what any
//! of them reads. Nethermind looks keys up whatever their case.

use crate::base::diagnostic::did_you_mean;
use crate::chain::client::Version;

/// Keys of `params` that both read.
pub(super) const PARAMS: &[&str] = &[
    "accountStartNonce",
    "maximumExtraDataSize",
    "minGasLimit",
    "networkID",
    "chainID",
    "forkBlock",
    "forkCanonHash",
    "eip150Transition",
    "eip160Transition",
    "eip161abcTransition",
    "eip161dTransition",
    "eip155Transition",
    "validateChainIdTransition",
    "validateReceiptsTransition",
    "eip140Transition",
    "eip211Transition",
    "eip145Transition",
    "eip214Transition",
    "eip658Transition",
    "eip1052Transition",
    "eip1283Transition",
    "eip1283DisableTransition",
    "eip1283ReenableTransition",
    "eip1014Transition",
    "eip1706Transition",
    "eip1344Transition",
    "eip1884Transition",
    "eip2028Transition",
    "eip2315Transition",
    "eip2929Transition",
    "eip2930Transition",
    "eip1559Transition",
    "eip3198Transition",
    "eip3529Transition",
    "eip3541Transition",
    "eip3607Transition",
    "gasLimitBoundDivisor",
    "registrar",
    "maxCodeSize",
    "maxCodeSizeTransition",
    "transactionPermissionContract",
    "transactionPermissionContractTransition",
    "eip1559BaseFeeMaxChangeDenominator",
    "eip1559ElasticityMultiplier",
    "eip1559BaseFeeInitialValue",
    "eip1559BaseFeeMinValue",
    "eip1559BaseFeeMinValueTransition",
    "eip1559FeeCollector",
    "eip1559FeeCollectorTransition",
    "terminalTotalDifficulty",
];

/// Of OpenEthereum alone: Nethermind passes them over.
pub(super) const PARAMS_OF_OPEN_ETHEREUM: &[&str] = &[
    "subprotocolName",
    "eip98Transition",
    "eip210Transition",
    "eip210ContractAddress",
    "eip210ContractCode",
    "eip210ContractGas",
    "dustProtectionTransition",
    "nonceCapIncrement",
    "removeDustContracts",
    "applyReward",
    "nodePermissionContract",
    "maxTransactionSize",
    "wasmActivationTransition",
    "wasmDisableTransition",
    "kip4Transition",
    "kip6Transition",
    "validateServiceTransactionsTransition",
];

/// Of Nethermind alone: OpenEthereum refuses them.
pub(super) const PARAMS_OF_NETHERMIND: &[&str] = &[
    "eip7Transition",
    "eip152Transition",
    "maxCodeSizeTransitionTimestamp",
    "eip1108Transition",
    "eip2200Transition",
    "eip2537Transition",
    "eip2565Transition",
    "feeCollector",
    "mergeForkIdTransition",
    "terminalPoWBlockNumber",
    "beaconChainGenesisTimestamp",
    "minHistoryRetentionEpochs",
    "minBalRetentionEpochs",
    "eip1153Transition",
    "eip1153TransitionTimestamp",
    "eip3651Transition",
    "eip3651TransitionTimestamp",
    "eip3855Transition",
    "eip3855TransitionTimestamp",
    "eip3860Transition",
    "eip3860TransitionTimestamp",
    "eip4895TransitionTimestamp",
    "eip4844Transition",
    "eip4844TransitionTimestamp",
    "eip2537TransitionTimestamp",
    "eip5656Transition",
    "eip5656TransitionTimestamp",
    "eip6780Transition",
    "eip6780TransitionTimestamp",
    "eip4788TransitionTimestamp",
    "eip4788ContractAddress",
    "eip2935TransitionTimestamp",
    "eip2935ContractAddress",
    "eip2935RingBufferSize",
    "eip4844BlobGasPriceUpdateFraction",
    "eip4844MaxBlobGasPerBlock",
    "eip4844MinBlobGasPrice",
    "eip4844TargetBlobGasPerBlock",
    "eip4844FeeCollectorTransitionTimestamp",
    "eip6110TransitionTimestamp",
    "depositContractAddress",
    "eip7002TransitionTimestamp",
    "eip7002ContractAddress",
    "eip7251TransitionTimestamp",
    "eip7251ContractAddress",
    "eip7594TransitionTimestamp",
    "eip7623TransitionTimestamp",
    "eip7692TransitionTimestamp",
    "eip7702TransitionTimestamp",
    "eip7708TransitionTimestamp",
    "eip7778TransitionTimestamp",
    "eip7823TransitionTimestamp",
    "eip7825TransitionTimestamp",
    "eip7843TransitionTimestamp",
    "eip7883TransitionTimestamp",
    "eip7918TransitionTimestamp",
    "eip7928TransitionTimestamp",
    "eip7934TransitionTimestamp",
    "eip7934MaxRlpBlockSize",
    "eip7939TransitionTimestamp",
    "eip7951TransitionTimestamp",
    "eip7954TransitionTimestamp",
    "eip7976TransitionTimestamp",
    "eip7981TransitionTimestamp",
    "eip8024TransitionTimestamp",
    "eip8037TransitionTimestamp",
    "rip7212TransitionTimestamp",
    "pragueTransitionTimestamp",
    "blobSchedule",
    "opGraniteTransitionTimestamp",
    "opHoloceneTransitionTimestamp",
    "opIsthmusTransitionTimestamp",
    "ontakeTransition",
];

/// Keys of the engine's `params` that both read.
pub(super) const AURA: &[&str] = &[
    "stepDuration",
    "validators",
    "validateScoreTransition",
    "validateStepTransition",
    "blockReward",
    "blockRewardContractTransition",
    "blockRewardContractAddress",
    "blockRewardContractTransitions",
    "maximumUncleCountTransition",
    "maximumUncleCount",
    "twoThirdsMajorityTransition",
    "randomnessContractAddress",
    "blockGasLimitContractTransitions",
    "posdaoTransition",
    "rewriteBytecode",
];

/// Of OpenEthereum alone: Nethermind passes them over.
pub(super) const AURA_OF_OPEN_ETHEREUM: &[&str] = &[
    "startStep",
    "immediateTransitions",
    "blockRewardContractCode",
    "emptyStepsTransition",
    "maximumEmptySteps",
    "strictEmptyStepsTransition",
];

/// Of Nethermind alone: OpenEthereum refuses them.
pub(super) const AURA_OF_NETHERMIND: &[&str] = &["rewriteBytecodeTimestamp", "withdrawalContractAddress"];

/// Whole forks in one key, and what each is made of for those who do not read it. Nethermind's `HardforkLabels.cs`, of 2026.
pub(super) const LABELS: &[(&str, &str)] = &[
    ("homestead", "eip7Transition"),
    ("tangerineWhistle", "eip150Transition"),
    ("spuriousDragon", "eip155Transition, eip160Transition, eip161abcTransition, eip161dTransition"),
    ("byzantium", "eip140Transition, eip211Transition, eip214Transition, eip658Transition"),
    ("constantinople", "eip145Transition, eip1014Transition, eip1052Transition, eip1283Transition"),
    ("petersburg", "eip1283DisableTransition"),
    (
        "istanbul",
        "eip1344Transition, eip1884Transition, eip2028Transition, eip2200Transition, and prices of built-in contracts",
    ),
    ("berlin", "eip2929Transition, eip2930Transition"),
    ("london", "eip1559Transition, eip3198Transition, eip3529Transition, eip3541Transition"),
    (
        "shanghai",
        "eip3651TransitionTimestamp, eip3855TransitionTimestamp, eip3860TransitionTimestamp, eip4895TransitionTimestamp",
    ),
    (
        "cancun",
        "eip1153TransitionTimestamp, eip4788TransitionTimestamp, eip4844TransitionTimestamp, eip5656TransitionTimestamp, eip6780TransitionTimestamp",
    ),
    ("prague", "eip2537TransitionTimestamp and the others of Prague"),
    ("osaka", "eip7594TransitionTimestamp and the others of Osaka"),
    ("amsterdam", "eip7928TransitionTimestamp and the others of Amsterdam"),
];

/// Nethermind 1.35 does not read them; which release is the first was not looked up.
pub(super) const LABELS_UNREAD: Version = Version(1, 35, u16::MAX);

/// The key that was meant by one that nobody knows. The number of an EIP is mistyped in one digit, or it is another EIP.
pub(super) fn meant<'a>(wrong: &str, known: &[&'a str]) -> Option<&'a str> {
    let Some(number) = eip(wrong) else { return did_you_mean(wrong, known.iter().copied()) };
    let of = |number: &str| -> Vec<&'a str> {
        known.iter().copied().filter(|name| eip(name).is_some_and(|other| other == number)).collect()
    };
    let mut names = of(number);
    if names.is_empty() {
        let numbers = known.iter().filter_map(|name| eip(name)).filter(|other| other.len() == number.len());
        names = of(did_you_mean(number, numbers)?);
    }
    did_you_mean(wrong, names.iter().copied()).or_else(|| names.first().copied())
}

/// The digits of `eip1559Transition`.
fn eip(name: &str) -> Option<&str> {
    let rest = name.get(..3).filter(|start| start.eq_ignore_ascii_case("eip")).and(name.get(3..))?;
    let length = rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len());
    rest.get(..length).filter(|digits| !digits.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_belongs_to_one_list() {
        for lists in
            [[PARAMS, PARAMS_OF_OPEN_ETHEREUM, PARAMS_OF_NETHERMIND], [AURA, AURA_OF_OPEN_ETHEREUM, AURA_OF_NETHERMIND]]
        {
            let mut names: Vec<String> = lists.concat().iter().map(|name| name.to_ascii_lowercase()).collect();
            names.sort_unstable();
            assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "{names:?}");
        }
    }

    #[test]
    fn another_eip_is_not_a_mistyped_one() {
        let known = ["eip1559Transition", "eip4895TransitionTimestamp", "minGasLimit"];
        assert_eq!(meant("eip1559Transiton", &known), Some("eip1559Transition"));
        assert_eq!(meant("eip1595Transition", &known), Some("eip1559Transition"));
        assert_eq!(meant("eip4895Transition", &known), Some("eip4895TransitionTimestamp"));
        assert_eq!(meant("eip5920TransitionTimestamp", &known), None);
        assert_eq!(meant("minGasLimt", &known), Some("minGasLimit"));
    }
}
