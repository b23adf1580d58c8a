using System.Text.Json;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Runbooks.Sandbox;
using Runbooks.SignedLinks;
using Runbooks.Web.Http;
using TestKit;

namespace RunbookFunctions.Tests;

public sealed class SampleSettingsTests
{
    /// <summary>What is not pointed at the sandbox would reach for the real Azure with a developer's own sign-in.</summary>
    [Fact]
    public void Sample_PointsEverythingAtTheSandbox()
    {
        using var sample = JsonDocument.Parse(File.ReadAllText(RepositoryRoot.Of("local.settings.sample.json")));
        var values = sample.RootElement.GetProperty("Values");

        foreach (var (name, value) in SandboxSettings.For(new Uri("http://localhost:7072")))
        {
            values.TryGetProperty(name, out var written).ShouldBeTrue(name);
            written.GetString().ShouldBe(value, name);
        }
    }

    /// <summary>Its keys are public: they are taken where the sample also says that it is for development, and nowhere else.</summary>
    [Theory]
    [InlineData("Development", true)]
    [InlineData("Production", false)]
    public void KeysOfTheSample_AreForDevelopmentOnly(string environment, bool taken)
    {
        using var sample = JsonDocument.Parse(File.ReadAllText(RepositoryRoot.Of("local.settings.sample.json")));
        var values = sample.RootElement.GetProperty("Values").EnumerateObject().ToDictionary(value => value.Name, value => value.Value.GetString());
        values["AZURE_FUNCTIONS_ENVIRONMENT"].ShouldBe("Development");
        var builder = Microsoft.Extensions.Hosting.Host.CreateEmptyApplicationBuilder(new() { EnvironmentName = environment });
        builder.Configuration.AddInMemoryCollection(values);
        builder.Services.AddRunbooks().AddRunbooksWeb();
        using var host = builder.Build();

        Takes<ApiKeyOptions>(host.Services).ShouldBe(taken);
        Takes<LinkSigningOptions>(host.Services).ShouldBe(taken);
    }

    /// <summary>Whoever opens a link may approve there, and nobody is called.</summary>
    [Theory]
    [InlineData("Development", "data/outbox", "app", 0)]
    [InlineData("Production", "data/outbox", "app", 1)]
    [InlineData("Production", "data/outbox", "", 0)]
    [InlineData("Production", "", "app", 0)]
    public void OutboxOfTheSample_IsNotForAzure(string environment, string folder, string site, int problems)
    {
        var builder = Microsoft.Extensions.Hosting.Host.CreateEmptyApplicationBuilder(new() { EnvironmentName = environment });
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?> { ["Outbox:Folder"] = folder, ["WEBSITE_SITE_NAME"] = site });

        MessagesServices.FindProblems(builder.Configuration, builder.Environment).Count().ShouldBe(problems);
    }

    private static bool Takes<T>(IServiceProvider services)
        where T : class
    {
        try
        {
            return services.GetRequiredService<IOptions<T>>().Value is not null;
        }
        catch (OptionsValidationException)
        {
            return false;
        }
    }
}
