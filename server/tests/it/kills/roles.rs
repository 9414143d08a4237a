//! Kills of one process of six at what it does beside a command's way: leases, dealing,
//! catching-up marks, the schema, batches, people, the audit log. The others run on, and
//! after each kill people pay and every figure is the chain's.

use std::time::{Duration, Instant};

use gx_proto::gx::{
    identity::v1::{BindAccountRequest, GetMeRequest, UserStatus, VerificationState},
    operation::v1::OperationState,
    wallet::v1::TransferRequest,
};
use gx_server::{
    outbox::entity::{envelope, operation},
    projector::deal,
};
use sea_orm::{EntityTrait, PaginatorTrait};
use tokio::time::{sleep, timeout};
use tonic::Code;

use super::count;
use crate::harness::{
    Database, Forgotten, GX, Gx, PATIENCE, Person, Refusal, batched, block_of, operation_of,
    postgres_database, tool_killed,
};

/// How often something is looked at again.
const POLL: Duration = Duration::from_millis(20);
/// Transfers of a batch, of which a fold takes two.
const BATCH: u64 = 5;

/// A system whose processes are killed one after the other, and what its people have.
struct World {
    gx: Gx,
    sender: Person,
    receiver: Person,
    /// What the sender has left.
    left: u64,
    /// When a process was killed, until the next payment.
    killed: Option<Instant>,
}

#[tokio::test]
async fn a_kill_of_any_role_at_what_it_does_beside_commands_loses_and_repeats_nothing() {
    let url = postgres_database().await;
    let on_it = [("GX_DATABASE__URL", url.as_str())];
    tool_killed(&["migrate"], &on_it, "migration").await;
    let settings = [on_it[0], ("GX_INTAKE__FOLD", "2")];
    let gx = Gx::start_with(Database::PostgresApart, &settings).await;
    let (sender, receiver) = (gx.person("DE").await, gx.person("DE").await);
    let (left, killed) = (500 * GX, None);
    let mut world = World {
        gx,
        sender,
        receiver,
        left,
        killed,
    };
    world.goes_on("migration").await;
    world.leases_of_lanes().await;
    world.leases_of_partitions().await;
    world.dealing().await;
    world.marks().await;
    world.batch().await;
    world.binding().await;
    world.sealing().await;
}

impl World {
    /// Starts a role again that will stand still at a point.
    async fn arm(&mut self, role: &'static str, point: &str) {
        let settings = [("KILL_POINT", point)];
        let stopped = self.gx.replace(role, "TERM", &settings).await;
        assert!(stopped.success(), "{point}");
    }

    /// Waits until the role is there, and kills it.
    async fn kill(&mut self, role: &'static str, point: &str) {
        self.gx.said_by(role, &format!("kill point {point}")).await;
        self.killed = Some(Instant::now());
        assert!(!self.gx.replace(role, "KILL", &[]).await.success());
    }

    fn transfer(&self) -> TransferRequest {
        self.sender.to(&self.receiver.account, GX, 0)
    }

    /// Pays, and everything is as the payments say.
    async fn goes_on(&mut self, point: &str) {
        let transfer = self.transfer();
        self.settles(point, transfer).await;
    }

    /// A transfer, sent again whatever became of it, has its effect once.
    async fn settles(&mut self, point: &str, transfer: TransferRequest) {
        let sender = self.sender.on(&self.gx);
        let paid = sender.pay(transfer).await;
        assert_eq!(paid.state(), OperationState::Succeeded, "{point}");
        if let Some(killed) = self.killed.take() {
            println!("{point}: settled {:?} after the kill", killed.elapsed());
        }
        self.left -= GX;
        self.is_sound(point, block_of(&paid)).await;
    }

    async fn is_sound(&self, point: &str, block: u64) {
        let wallet = self.sender.on(&self.gx).wallet(block).await;
        let has = (wallet.balance_qirat, wallet.reserved_qirat);
        assert_eq!(has, (self.left, 0), "{point}");
        let other = self.receiver.on(&self.gx).wallet(block).await;
        assert_eq!(other.balance_qirat, 1_000 * GX - self.left, "{point}");
        let (clean, told) = self.gx.tool(&["reconcile"]).await;
        assert!(clean, "{point}: {told}");
    }

    async fn leases_of_lanes(&mut self) {
        self.arm("submitter", "leased").await;
        let transfer = self.transfer();
        self.sender.on(&self.gx).sent(transfer.clone()).await;
        self.kill("submitter", "leased").await;
        self.settles("leased", transfer).await;

        // The lane's worker rests with its lease, and renews it when it is wanted.
        self.arm("submitter", "renewed").await;
        self.goes_on("before renewing").await;
        let transfer = self.transfer();
        self.sender.on(&self.gx).sent(transfer.clone()).await;
        self.kill("submitter", "renewed").await;
        self.settles("renewed", transfer).await;

        self.arm("submitter", "released").await;
        self.goes_on("before releasing").await;
        self.gx.terminate("submitter").await;
        let transfer = self.transfer();
        self.sender.on(&self.gx).sent(transfer.clone()).await;
        self.kill("submitter", "released").await;
        self.settles("released", transfer).await;
    }

    async fn leases_of_partitions(&mut self) {
        let settings = [("KILL_POINT", "partition")];
        let words = "kill point partition";
        let stopped = self.gx.replace_until("projector", "TERM", &settings, words);
        assert!(stopped.await.success());
        let transfer = self.transfer();
        self.sender.on(&self.gx).sent(transfer.clone()).await;
        self.kill("projector", "partition").await;
        self.settles("partition", transfer).await;
    }

    /// Nobody but the projector deals here.
    async fn dealing(&mut self) {
        for (point, partitions) in [("deal", 4), ("dealt", 3)] {
            self.arm("projector", point).await;
            let tx = self.gx.store().await.begin().await.unwrap();
            deal::want_in(&tx, partitions).await.unwrap();
            tx.commit().await.unwrap();
            self.kill("projector", point).await;
            let query = "select count(*) from projector_state";
            let dealt = async {
                while count(&self.gx, query).await != i64::from(partitions) {
                    sleep(POLL).await;
                }
            };
            timeout(PATIENCE, dealt).await.expect(point);
            self.goes_on(point).await;
        }
    }

    /// The database forgets a batch that the chain has; the submitter sees it and is
    /// killed as it has said so, and the projector as it has taken that back.
    async fn marks(&mut self) {
        self.gx
            .replace("projector", "TERM", &[("STOP_POINT", "projector")])
            .await;
        self.gx.said_by("projector", "stop point projector").await;
        self.arm("submitter", "valid").await;
        let transfer = self.transfer();
        self.sender.on(&self.gx).sent(transfer.clone()).await;
        self.gx.said_by("submitter", "kill point valid").await;
        let db = self.gx.store().await.write();
        envelope::Entity::delete_many().exec(db).await.unwrap();
        let marks = [("KILL_POINT", "marked")];
        self.gx.replace("submitter", "KILL", &marks).await;
        self.kill("submitter", "marked").await;
        let later = self.transfer();
        let refused = self.sender.on(&self.gx).send(later.clone()).await;
        let refused = Refusal::of(&refused.unwrap_err());
        assert_eq!(refused.told(), (Code::Unavailable, "CATCHING_UP"));
        assert!(refused.retry_ms.is_some());

        self.gx
            .replace("projector", "KILL", &[("KILL_POINT", "cleared")])
            .await;
        self.kill("projector", "cleared").await;
        self.settles("marked", transfer).await;
        self.settles("cleared", later).await;
    }

    /// Two of a batch are taken, and nobody was answered.
    async fn batch(&mut self) {
        self.arm("wallet", "batch").await;
        let to = &self.receiver.account;
        let batch: Vec<_> = (0..BATCH).map(|_| batched(to, GX, 0)).collect();
        let before = self.operations().await;
        let asked = tokio::spawn({
            let (sender, batch) = (self.sender.on(&self.gx), batch.clone());
            async move { sender.batch(batch).await.map(drop) }
        });
        self.kill("wallet", "batch").await;
        asked.await.unwrap().expect_err("nobody answered");
        assert_eq!(self.operations().await - before, 2);

        let sender = self.sender.on(&self.gx);
        for again in 0..2 {
            let results = sender.batch(batch.clone()).await.unwrap();
            for result in results {
                let name = operation_of(result).name;
                let settled = sender.client.settled(&name).await;
                assert_eq!(settled.state(), OperationState::Succeeded, "{again}");
            }
        }
        assert_eq!(self.operations().await - before, BATCH);
        self.left -= BATCH * GX;
        self.goes_on("batch").await;
    }

    async fn operations(&self) -> u64 {
        let db = self.gx.store().await.read();
        operation::Entity::find().count(db).await.unwrap()
    }

    /// Staff bound a person to an account, and was not answered.
    async fn binding(&mut self) {
        self.arm("identity", "bound").await;
        let Forgotten { before, now } = self.gx.forgotten(async |_| ()).await;
        let bind = BindAccountRequest {
            name: now.verification.clone(),
            account: before.account.clone(),
        };
        let asked = tokio::spawn({
            let (admin, bind) = (self.gx.admin().await.clone(), bind.clone());
            async move { admin.identity().bind_account(bind).await.map(drop) }
        });
        self.kill("identity", "bound").await;
        asked.await.unwrap().expect_err("nobody answered");
        let admin = self.gx.admin().await;
        let bound = admin.identity().bind_account(bind).await.unwrap();
        let bound = bound.into_inner().verification.unwrap();
        assert_eq!(bound.state(), VerificationState::Approved);
        let client = now.client.over(&self.gx.client());
        let me = client.identity().get_me(GetMeRequest::default()).await;
        let me = me.unwrap().into_inner().user.unwrap();
        assert_eq!(
            (me.status(), me.account),
            (UserStatus::Active, before.account)
        );
        self.goes_on("bound").await;
    }

    /// Lines have their places in the audit log's chain, not committed.
    async fn sealing(&mut self) {
        self.arm("projector", "seal").await;
        let transfer = self.transfer();
        self.sender.on(&self.gx).sent(transfer.clone()).await;
        self.kill("projector", "seal").await;
        self.settles("seal", transfer).await;
        let query = "select count(*) from audit_log where sequence is null";
        let sealed = async {
            while count(&self.gx, query).await > 0 {
                sleep(POLL).await;
            }
        };
        timeout(PATIENCE, sealed).await.expect("all is sealed");
        let (intact, told) = self.gx.tool(&["audit", "verify"]).await;
        assert!(intact, "{told}");
    }
}
