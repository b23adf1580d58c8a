using System.Collections.Concurrent;
using System.Xml.Linq;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.AspNetCore.DataProtection.Repositories;
using Microsoft.AspNetCore.DataProtection.XmlEncryption;

namespace Runbooks.Web.Http;

/// <summary>
/// Razor components bring data protection along, which would write keys to the home folder at the start. Nothing here is
/// protected with them: a form carries a signed token or a key, and <see cref="SameOrigin"/> tells whose form it is. So
/// they live in memory and are stored nowhere.
/// </summary>
internal sealed class UnstoredKeys : IXmlRepository
{
    private readonly ConcurrentQueue<XElement> _keys = new();

    public static void Use(KeyManagementOptions options)
    {
        options.XmlRepository = new UnstoredKeys();

        // What is never stored needs no encryption; saying so keeps the start quiet.
        options.XmlEncryptor = new NullXmlEncryptor();
    }

    public IReadOnlyCollection<XElement> GetAllElements() => [.. _keys];

    public void StoreElement(XElement element, string friendlyName) => _keys.Enqueue(element);
}
