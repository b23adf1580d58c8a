using Microsoft.Extensions.DependencyInjection;
using Runbooks.Catalog;

namespace Runbooks.Messages;

public static class ContactsServices
{
    /// <summary>The contacts of a file that the host has read. A file with errors is refused when the book is first asked for.</summary>
    /// <param name="file">How errors name the file.</param>
    /// <exception cref="ContactsException">From the container: the file has errors.</exception>
    public static IServiceCollection AddContacts(this IServiceCollection services, string file, string text) => services
        .AddSingleton<ContactsFile>()
        .AddSingleton(provider =>
        {
            var result = provider.GetRequiredService<ContactsFile>().Read(file, text);
            return result.Book ?? throw new ContactsException(result.Errors);
        });
}

/// <summary>The contacts cannot be used; the message has every error on a line of its own.</summary>
public sealed class ContactsException(IReadOnlyList<CatalogError> errors) : Exception(string.Join('\n', errors))
{
    public IReadOnlyList<CatalogError> Errors => errors;
}
