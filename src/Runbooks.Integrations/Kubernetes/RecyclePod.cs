using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using k8s.Models;
using Runbooks.Catalog.Parameters;
using Runbooks.Catalog.Steps;
using Runbooks.Model.Incidents;

namespace Runbooks.Integrations.Kubernetes;

/// <summary>Keeps a pod's logs, evicts it and waits for the pod that its controller puts in its place.</summary>
internal sealed class RecyclePod(Clusters clusters)
    : RunbookAction<RecyclePodParameters>("kubernetes.recyclePod", "Keeps a pod's last logs, evicts it, and waits until its replacement is ready.")
{
    public override string Role => ClusterPods.Role;

    public override IReadOnlyList<StepOutput> Outputs =>
    [
        new("newPod", "The name of the pod that stands in its place: the old name where a StatefulSet owns it, another one where a Deployment does."),
        new("newUid", "Its uid."),
        new("logs", "References of the logs that were kept, with blanks between them; empty where none were."),
    ];

    // An interrupted attempt may have removed the pod already: what it set out to do is still the plan.
    protected override bool KeepsPreparation => true;

    protected override async Task<Preparation> PrepareAsync(RecyclePodParameters parameters, StepContext context, CancellationToken cancellationToken)
    {
        var pods = clusters.Pods(parameters.Cluster);
        var pod = await pods.FindAsync(parameters.Namespace, parameters.Pod, cancellationToken);
        return new Preparation
        {
            PlannedEffect = $"Recycle pod {parameters.Namespace}/{parameters.Pod} on cluster {pods.Cluster}"
                + $": {(parameters.KeepLogs ? "keep its last logs, " : "")}evict it"
                + (parameters.OnBudget == OnBudget.Delete ? " (delete it if a disruption budget objects)" : "")
                + " and wait until the replacement is ready.",
            Identity = pod?.Metadata.Uid,
            Refusal = Refusal(parameters, pod),
        };
    }

    protected override Task<string?> CheckPermissionsAsync(RecyclePodParameters parameters, StepContext context, CancellationToken cancellationToken) =>
        clusters.Pods(parameters.Cluster).CheckPermissionsAsync(parameters.Namespace, parameters.Pod, parameters.OnBudget == OnBudget.Delete, cancellationToken);

    protected override async Task<ActionResult> ApplyAsync(
        RecyclePodParameters parameters, Preparation preparation, StepContext context, CancellationToken cancellationToken)
    {
        var pods = clusters.Pods(parameters.Cluster);
        var uid = preparation.Identity
            ?? throw new StepRefusedException($"There was no pod {parameters.Namespace}/{parameters.Pod} when this step was prepared.");
        var started = context.Time.GetTimestamp();

        var pod = await pods.FindAsync(parameters.Namespace, parameters.Pod, cancellationToken);
        var logs = new PodLogKeeper(pods, context, uid);
        var replacement = new PodReplacement(pods, parameters.Namespace, parameters.Pod, uid, context);
        string did;
        if (pod?.Metadata.Uid != uid)
        {
            if (context.Interrupted is null)
            {
                throw Moved(parameters, uid, pod?.Metadata.Uid);
            }

            did = "An earlier attempt had already evicted";
            await logs.FindKeptAsync(parameters.Pod, cancellationToken);
        }
        else
        {
            if (parameters.KeepLogs)
            {
                await logs.KeepAsync(pod, parameters.Container, cancellationToken);
            }

            await replacement.RememberAsync(pod, cancellationToken);
            did = pod.Metadata.DeletionTimestamp is not null
                ? "Was being deleted already:"
                : await RemoveAsync(pods, parameters, uid, cancellationToken);
        }

        var fresh = await replacement.WaitAsync(cancellationToken);
        var took = context.Time.GetElapsedTime(started);
        return new ActionResult(FormattableString.Invariant(
            $"{did} pod {parameters.Namespace}/{parameters.Pod} (uid {Short(uid)}); its replacement {fresh.Metadata.Name} (uid {Short(fresh.Metadata.Uid)}) was ready after {took.TotalSeconds:0} s. {logs.Words}").TrimEnd())
        {
            Outputs = new Dictionary<string, string>
            {
                ["newPod"] = fresh.Metadata.Name,
                ["newUid"] = fresh.Metadata.Uid,
                ["logs"] = string.Join(' ', logs.Kept),
            },
            Evidence = logs.Kept,
        };
    }

    private static async Task<string> RemoveAsync(ClusterPods pods, RecyclePodParameters parameters, string uid, CancellationToken cancellationToken)
    {
        var exactly = new V1DeleteOptions
        {
            Preconditions = new V1Preconditions { Uid = uid },
            GracePeriodSeconds = (long?)parameters.Grace?.TotalSeconds,
        };
        var outcome = await pods.EvictAsync(parameters.Namespace, parameters.Pod, exactly, cancellationToken);
        var did = "Evicted";
        if (outcome == EvictionOutcome.Budget)
        {
            if (parameters.OnBudget == OnBudget.Refuse)
            {
                throw new StepRefusedException(
                    $"A disruption budget forbids evicting pod {parameters.Namespace}/{parameters.Pod} on cluster {pods.Cluster}: too few of its kind are healthy. Nothing was removed. Set 'onBudget: delete' in the runbook to recycle it all the same.");
            }

            outcome = await pods.DeleteAsync(parameters.Namespace, parameters.Pod, exactly, cancellationToken);
            did = "Deleted, against a disruption budget,";
        }

        return outcome switch
        {
            EvictionOutcome.Replaced => throw Moved(parameters, uid, null),
            EvictionOutcome.Gone => "Was gone before it could be evicted:",
            _ => did,
        };
    }

    // Enough to tell one from the other; the record holds them whole.
    private static string Short(string uid) => uid.Split('-')[0];

    private static string? Refusal(RecyclePodParameters parameters, V1Pod? pod) => pod switch
    {
        null => $"There is no pod {parameters.Namespace}/{parameters.Pod}: nothing to recycle.",
        _ when PodReplacement.Controller(pod) is null => "No controller owns this pod, so nothing would bring it back.",
        _ when PodReplacement.Controller(pod) is { Kind: "Node" } => "This is a static pod of its node; evicting it does not restart it.",
        _ => null,
    };

    private static StepRefusedException Moved(RecyclePodParameters parameters, string uid, string? now) => new(
        $"Pod {parameters.Namespace}/{parameters.Pod} is no longer the one that was approved (uid {uid}"
        + (now is null ? "" : $", now {now}") + "). Nothing was removed.");
}

public sealed record RecyclePodParameters : PodParameters
{
    [KubernetesName]
    [Description("The container whose logs are kept; the pod's default one when left out.")]
    public string? Container { get; init; }

    [Description("Keep the last logs as evidence before the pod goes.")]
    public bool KeepLogs { get; init; } = true;

    [Range(typeof(TimeSpan), "00:00:00", "00:10:00")]
    [Description("How long the pod may take to stop; its own grace period when left out.")]
    public TimeSpan? Grace { get; init; }

    [Description("What to do when a disruption budget forbids the eviction: refuse, or delete the pod all the same.")]
    public OnBudget OnBudget { get; init; } = OnBudget.Refuse;
}

public enum OnBudget { Refuse, Delete }
