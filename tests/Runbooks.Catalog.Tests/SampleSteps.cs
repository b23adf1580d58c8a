using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using Runbooks.Catalog.Parameters;
using Runbooks.Catalog.Steps;
using Runbooks.Model.Incidents;

namespace Runbooks.Catalog.Tests;

/// <summary>Checks and actions with the names and parameters that runbooks of these tests use.</summary>
internal static class SampleSteps
{
    public static StepCatalog Catalog() => new(
        [new AlwaysCheck(), new SomeCheck<QueryText>("prometheus.query"), new SomeCheck<PodName>("kubernetes.pod"), new SomeCheck<Engine>("vllm.health")],
        [
            new NoteAction(),
            new ManualAction(),
            new SomeAction<Recycle>("kubernetes.recyclePod", repeatable: true, reversible: false),
            new SomeAction<Key>("keys.rotate", repeatable: false, reversible: false),
            new SomeAction<Key>("flags.set", repeatable: true, reversible: true),
            new SaidUndoAction(),
            new SomeAction<Key>("edge.block", repeatable: true, reversible: true, alwaysAsks: true),
        ]);

    public sealed record QueryText([Runbooks.Catalog.Parameters.QueryText(Comment = "#")] string Query, string Failing, string? Unit = null, string? Endpoint = null);

    public sealed record PodName
    {
        public string? Cluster { get; init; }
        [KubernetesName] public required string Namespace { get; init; }
        [KubernetesName(Subdomain = true)] public required string Pod { get; init; }
        public TimeSpan QuietFor { get; init; }
        public TimeSpan LoadsFor { get; init; }
    }

    public sealed record Engine
    {
        public string? Cluster { get; init; }
        [KubernetesName] public required string Namespace { get; init; }
        [KubernetesName(Subdomain = true)] public string? Pod { get; init; }
        public TimeSpan Window { get; init; }
        public TimeSpan LoadsFor { get; init; }
    }

    public sealed record Recycle
    {
        public string? Cluster { get; init; }
        [KubernetesName] public required string Namespace { get; init; }
        [KubernetesName(Subdomain = true)] public required string Pod { get; init; }
        public bool KeepLogs { get; init; } = true;
    }

    public sealed record CallUndo(string Url);

    public sealed record Call(string Url, CallUndo? Undo = null);

    public sealed record Key(string Name, [Range(1, 5)] int Slot = 1, [Secret] string? Value = null)
    {
        [SampleFile]
        public string? NotLike { get; init; }
    }

    /// <summary>Can be undone when the step says how.</summary>
    private sealed class SaidUndoAction() : RunbookAction<Call>("api.call", "An action of the tests.")
    {
        public override Reversal ReversalOf(JsonElement with) => with.TryGetProperty("undo", out _) ? Reversal.Undone : Reversal.None;

        protected override Task<Preparation> PrepareAsync(Call parameters, StepContext context, CancellationToken cancellationToken) =>
            Task.FromResult(new Preparation { PlannedEffect = "something" });

        protected override Task<ActionResult> ApplyAsync(Call parameters, Preparation preparation, StepContext context, CancellationToken cancellationToken) =>
            Task.FromResult(new ActionResult("did"));
    }

    private sealed class SomeCheck<T>(string name) : Check<T>(name, "A check of the tests.") where T : notnull
    {
        protected override Task<CheckResult> AskAsync(T parameters, StepContext context, CancellationToken cancellationToken) =>
            Task.FromResult(CheckResult.Passing("fine"));
    }

    private sealed class SomeAction<T>(string name, bool repeatable, bool reversible, bool alwaysAsks = false) : RunbookAction<T>(name, "An action of the tests.") where T : notnull
    {
        public override bool Repeatable => repeatable;

        public override bool Reversible => reversible;

        public override bool AlwaysAsks(JsonElement with) => alwaysAsks;

        public override IReadOnlyList<StepOutput> Outputs => [new("previous", "What was before.", "off"), new("now", "What is there now.", "on")];

        protected override Task<Preparation> PrepareAsync(T parameters, StepContext context, CancellationToken cancellationToken) =>
            Task.FromResult(new Preparation { PlannedEffect = "something" });

        protected override Task<ActionResult> ApplyAsync(T parameters, Preparation preparation, StepContext context, CancellationToken cancellationToken) =>
            Task.FromResult(new ActionResult("did"));
    }
}
