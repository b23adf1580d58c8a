using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Runbooks.Catalog.Parameters;
using Runbooks.Catalog.Steps;
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
