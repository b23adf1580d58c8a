using Microsoft.Azure.Functions.Worker.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Runbooks.Settings;
using TestKit;

namespace RunbookFunctions.Tests;

public sealed class OwnSettingsTests
{
    /// <summary>The page of settings and the messages of either host go by this.</summary>
    [Fact]
    public void SettingsOfOneHost_AreReadByThisOneWhereTheyAreItsOwn()
    {
        var builder = FunctionsApplication.CreateBuilder([]);
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?> { ["AzureStorage:ConnectionString"] = "UseDevelopmentStorage=true" });
        using var app = FunctionsApp.Build(builder).App;

        HashSet<string> read = [.. app.Services.GetServices<SettingsSection>().SelectMany(section => section.Options.GetProperties().Select(property => $"{section.Name}:{property.Name}").Append(section.Name))];

        SettingsOfOneHost.FunctionsApp.ShouldBeSubsetOf(read);
        SettingsOfOneHost.SelfHosted.ShouldEach(name => !read.Contains(name));
    }
}
