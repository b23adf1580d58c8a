using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Runbooks.Catalog;
using Runbooks.Guardrails;
using Runbooks.Model.Definition;
using Runbooks.Model.Storage;
using Runbooks.Publishing;
using Runbooks.Storage;

namespace Runbooks.Tests.Publishing;

/// <summary>What is published of a folder, and what a host needs to take it.</summary>
internal static class PublishedFolder
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static async Task<Publication> PublishAsync(string folder, TimeProvider time)
    {
        var (place, publisher) = (new FolderPlace(folder), new Publisher(new FolderPlace(folder), time));
        return (await publisher.PublishAsync(await publisher.LookAsync(Cancel), await place.ReadPlainAsync(Cancel), new(0, "", default, "grace"), Cancel)).Publication!;
    }

    public static IServiceCollection Services(TimeProvider time, ISharedState state) => new ServiceCollection()
        .AddSingleton<IConfiguration>(new ConfigurationBuilder().Build()).AddLogging().AddSingleton(time).AddSingleton(state)
        .AddRunbookCatalog().AddGuardrails()
        .AddSingleton<FileVersions>().AddSingleton<RunbookVersions>().AddSingleton<RuleSetStatus>();
}
