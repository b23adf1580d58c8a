using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Runbooks.Catalog.Parameters;
using Runbooks.Catalog.Steps;
using Runbooks.Integrations.Notifications;
using TestKit;

namespace Runbooks.Integrations.Tests;

/// <summary><c>docs/integrations.md</c> is written out of the code: <c>UPDATE_DOCS=1</c> writes it anew.</summary>
public sealed class IntegrationsPageTests
{
    internal static StepCatalog Catalog()
    {
        var services = new ServiceCollection().AddSingleton<IConfiguration>(new ConfigurationBuilder().Build()).AddLogging();
        return services.AddSingleton(TimeProvider.System).AddRunbookSteps().AddIntegrations().BuildServiceProvider().GetRequiredService<StepCatalog>();
    }

    [Fact]
    public void Page_SaysWhatTheCodeDoes()
    {
        var file = RepositoryRoot.Of("docs", "integrations.md");
        var page = IntegrationsPage.Write(Catalog());
        if (Environment.GetEnvironmentVariable("UPDATE_DOCS") == "1")
        {
            File.WriteAllText(file, page);
        }

        File.ReadAllText(file).ShouldBe(page, "docs/integrations.md is not what the code says. Run: UPDATE_DOCS=1 dotnet test tests/Runbooks.Integrations.Tests");
    }

    [Fact]
    public void EveryParameter_IsDescribed()
    {
        var catalog = Catalog();
        var types = catalog.Checks.Select(check => (check.Name, check.ParametersType)).Concat(catalog.Actions.Select(action => (action.Name, action.ParametersType)));

        types.SelectMany(step => StepParameters.Of(step.ParametersType).Where(parameter => parameter.Description.Length == 0).Select(parameter => $"{step.Name}.{parameter.Name}"))
            .ShouldBeEmpty();
    }

    /// <summary>A simulation fills them in, and says what becomes of the step that reads them.</summary>
    [Theory]
    [InlineData("kubernetes.scaleDeployment", "before", "kubernetes.scaleDeployment", "replicas")]
    [InlineData("kubernetes.recyclePod", "newPod", "kubernetes.recyclePod", "pod")]
    [InlineData("ticket.create", "system", "ticket.update", "system")]
    public void ExampleOfAnOutput_FitsWhereItIsRead(string gives, string output, string reads, string parameter)
    {
        var example = Catalog().FindAction(gives)!.Outputs.Single(one => one.Name == output).Example;

        ParameterBinder.Bind(new() { [parameter] = example }, Catalog().FindAction(reads)!.ParametersType).Errors.ShouldNotContain(error => error.Key == parameter);
    }

    /// <summary>What only tells must not be refused, and its runbook with it, because of the words of an alert.</summary>
    [Fact]
    public void EveryTextThatIsToldToPeople_IsMadeToFit()
    {
        var telling = Catalog().Actions.Where(action => action.TellsOnly || action.IsManual).ToList();

        telling.Select(action => action.Name).ShouldBe(["note", "person", "notify", "escalate", "ticket.create", "ticket.update"], ignoreOrder: true);
        telling.SelectMany(action => StepParameters.Of(action.ParametersType).Where(parameter => parameter.Type == typeof(string) && !parameter.Rules.OfType<ForPeopleAttribute>().Any()).Select(parameter => $"{action.Name}.{parameter.Name}"))
            .ShouldBe(["ticket.create.system", "ticket.update.system"], ignoreOrder: true);
    }

    /// <summary>A group, and whatever an alert calls a team: whom nobody is behind, the fallback hears of.</summary>
    [Theory]
    [InlineData("group:ml-oncall")]
    [InlineData("ml.group:sre")]
    [InlineData("Bereitschaft Süd")]
    public void AnyContact_CanBeNotified(string to)
    {
        ParameterBinder.Bind(new() { ["to"] = to, ["message"] = "Look." }, typeof(NotifyParameters)).Errors.ShouldBeEmpty();
        ParameterBinder.Bind(new() { ["to"] = to, ["reason"] = "Look." }, typeof(EscalateParameters)).Errors.ShouldBeEmpty();
    }

    [Fact]
    public void EveryQuery_RefusesTextThatCouldChangeIt()
    {
        var catalog = Catalog();
        var queries = catalog.Checks.Select(check => check.ParametersType)
            .SelectMany(type => type.GetProperties())
            .Where(property => property.Name is "Query" or "Filter")
            .ToList();

        queries.Count.ShouldBeGreaterThan(2);
        queries.ShouldAllBe(property => property.IsDefined(typeof(QueryTextAttribute), false));
    }
}
