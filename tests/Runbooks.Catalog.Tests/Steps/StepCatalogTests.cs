using Microsoft.Extensions.DependencyInjection;
using Runbooks.Catalog.Parameters;
using Runbooks.Catalog.Steps;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;

namespace Runbooks.Catalog.Tests.Steps;

public sealed class BuiltInStepsTests
{
    private static readonly StepCatalog s_steps = new([new AlwaysCheck()], [new NoteAction()]);

    [Fact]
    public void AddedTwice_TheyAreThereOnce()
    {
        var services = new ServiceCollection().AddRunbookCatalog().AddRunbookSteps();

        services.Count(service => service.ServiceType == typeof(ICheck)).ShouldBe(1);
        services.Count(service => service.ServiceType == typeof(IAction)).ShouldBe(2);
    }

    [Theory]
    [InlineData("passing", Verdict.Passing)]
    [InlineData("failing", Verdict.Failing)]
    [InlineData("unknown", Verdict.Unknown)]
    public async Task Always_FindsWhatItIsTold(string finding, Verdict verdict)
    {
        var check = s_steps.FindCheck("always")!;
        var parameters = ParameterBinder.Bind(new() { ["finding"] = finding }, check.ParametersType).Value!;

        (await check.AskAsync(parameters, Context(), TestContext.Current.CancellationToken)).Verdict.ShouldBe(verdict);
    }

    [Fact]
    public async Task Note_SaysItsTextAndCanBeUndone()
    {
        var note = s_steps.FindAction("note")!;
        var parameters = ParameterBinder.Bind(new() { ["text"] = "Look at the logs." }, note.ParametersType).Value!;
        var cancellation = TestContext.Current.CancellationToken;

        var preparation = await note.PrepareAsync(parameters, Context(), cancellation);

        preparation.PlannedEffect.ShouldBe("Note: Look at the logs.");
        (await note.ApplyAsync(parameters, preparation, Context(), cancellation)).Result.ShouldBe("Look at the logs.");
        (await note.UndoAsync(preparation.UndoState!.Value, Context(), cancellation)).Result.ShouldNotBeEmpty();
    }

    private static StepContext Context() => new()
    {
        IncidentId = "i",
        RunbookId = "r",
        Target = "t",
        IdempotencyKey = "i:mitigation:s",
        Evidence = new NoEvidence(),
        Time = TimeProvider.System,
    };

    /// <summary>The built-in steps touch nothing, evidence included.</summary>
    private sealed class NoEvidence : IEvidenceStore
    {
        public Task<string> SaveAsync(string incidentId, string name, Stream content, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<Stream?> OpenAsync(string reference, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task DeleteAsync(string incidentId, CancellationToken cancellationToken) => throw new NotSupportedException();
    }
}
