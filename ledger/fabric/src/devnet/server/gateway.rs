//! `gateway.Gateway`: what a peer of one organization serves.

use std::sync::Arc;

use futures::stream::BoxStream;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};

use super::answer::Gate;
use crate::{
    devnet::{core::Core, trust::Roll},
    proto::gateway::{
        ChaincodeEventsResponse, CommitStatusResponse, EndorseRequest, EndorseResponse,
        EvaluateRequest, EvaluateResponse, SignedChaincodeEventsRequest, SignedCommitStatusRequest,
        SubmitRequest, SubmitResponse, gateway_server::Gateway,
    },
};

/// A peer with its gateway.
#[derive(Clone)]
pub(super) struct Peer {
    pub(super) core: Arc<Core>,
    pub(super) roll: Arc<Roll>,
    /// Its organization, whose endorsers are asked first.
    pub(super) msp_id: String,
    pub(super) gate: Gate,
    /// The end of everything.
    pub(super) cancel: CancellationToken,
}

impl Peer {
    /// Runs something that takes the processor's time.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, Status> + Send + 'static,
    ) -> Result<T, Status> {
        let peer = self.clone();
        let task = tokio::task::spawn_blocking(move || work(&peer));
        task.await
            .map_err(|_| Status::internal("the call has failed"))?
    }
}

#[tonic::async_trait]
impl Gateway for Peer {
    async fn endorse(
        &self,
        request: Request<EndorseRequest>,
    ) -> Result<Response<EndorseResponse>, Status> {
        let (_, extensions, request) = request.into_parts();
        let work = self.run(move |peer| peer.endorse(&request));
        self.answer(&extensions, work).await
    }

    async fn submit(
        &self,
        request: Request<SubmitRequest>,
    ) -> Result<Response<SubmitResponse>, Status> {
        let (_, extensions, request) = request.into_parts();
        let work = self.run(move |peer| peer.submit(request));
        self.answer(&extensions, work).await
    }

    async fn commit_status(
        &self,
        request: Request<SignedCommitStatusRequest>,
    ) -> Result<Response<CommitStatusResponse>, Status> {
        let (_, extensions, request) = request.into_parts();
        self.answer(&extensions, self.commit_status(request)).await
    }

    async fn evaluate(
        &self,
        request: Request<EvaluateRequest>,
    ) -> Result<Response<EvaluateResponse>, Status> {
        let (_, extensions, request) = request.into_parts();
        let work = self.run(move |peer| peer.evaluate(&request));
        self.answer(&extensions, work).await
    }

    type ChaincodeEventsStream = BoxStream<'static, Result<ChaincodeEventsResponse, Status>>;

    async fn chaincode_events(
        &self,
        request: Request<SignedChaincodeEventsRequest>,
    ) -> Result<Response<Self::ChaincodeEventsStream>, Status> {
        let place = self.gate.enter()?;
        let events = self.chaincode_events(request.into_inner(), place)?;
        Ok(Response::new(events))
    }
}
