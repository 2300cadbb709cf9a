//! Which `sub` a client sees.

use clap::Args;

use crate::cli::CommandError;
use crate::clients::ClientMetadata;
use crate::model::{Sector, SubjectType};

#[derive(Debug, Args)]
pub struct Subjects {
    /// Whether all clients know a person by the same "sub", or those of each sector by another [default of a new
    /// client: public]
    #[arg(long, value_name = "TYPE", value_enum)]
    subject_type: Option<SubjectType>,
    /// Where the clients of its sector list their redirect URIs, for pairwise subjects; "" for none [default: the
    /// sector is the host of its redirect URIs]
    #[arg(long, value_name = "URI")]
    sector_identifier_uri: Option<String>,
}

impl Subjects {
    pub fn is_given(&self) -> bool {
        self.subject_type.is_some() || self.sector_identifier_uri.is_some()
    }

    pub fn apply(&self, metadata: &mut ClientMetadata) -> Result<(), CommandError> {
        let pairwise = &mut metadata.openid.pairwise;
        match self.subject_type {
            Some(SubjectType::Public) => *pairwise = None,
            Some(SubjectType::Pairwise) if pairwise.is_none() => *pairwise = Some(Sector::requested(None)),
            _ => {}
        }
        let Some(given) = &self.sector_identifier_uri else { return Ok(()) };
        let uri = (!given.is_empty()).then(|| given.clone());
        match (pairwise, uri) {
            (Some(sector), uri) => sector.uri = uri,
            (None, None) => {}
            (None, Some(_)) => {
                return Err(CommandError::new(
                    "invalid_client_metadata",
                    "a sector_identifier_uri is for pairwise subjects: add --subject-type pairwise",
                ));
            }
        }
        Ok(())
    }
}
